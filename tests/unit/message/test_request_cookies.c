/* test_request_cookies.c - the cookies of a request object: where an error stands. */

#include "message/request_cookies.h"

#include "support/request_fixture.h"

TestSuite(request_cookies, .init = setup, .fini = teardown);

Test(request_cookies, the_last_of_two_with_a_name_follows_the_first)
{
    takes("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"1\"},"
          "{\"name\":\"a\",\"value\":\"2\",\"path\":\"/x\"}]}");
    cr_assert_eq(r.cookies.count, 2);
    cr_assert_str_eq(r.cookies.items[0].value, "1");
    cr_assert_str_eq(r.cookies.items[1].path, "/x");
}

Test(request_cookies, a_wrong_type_is_named_with_its_place)
{
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"\"},"
            "{\"name\":\"b\",\"value\":\"\",\"secure\":1}]}",
            "cookies[1].secure: expected true or false");
    refuses("{" URL ",\"cookies\":[1]}", "cookies[0]: expected an object with name and value");
}
