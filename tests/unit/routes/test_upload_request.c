/* test_upload_request.c - a request whose body follows its request object: an upload. */

#include "routes/upload_request.h"

#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
    t.x.fetch = fetch_new();
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(upload_request, .init = setup, .fini = teardown, .timeout = 30);

static bool
announces(const char *method, const char *type)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", method, "CONTENT_TYPE", type);
    return upload_request_is_announced(&t.x);
}

Test(upload_request, the_media_type_of_a_post_announces_it)
{
    cr_assert(announces("POST", "application/vnd.curlew.frames"));
    cr_assert(announces("POST", "Application/Vnd.Curlew.Frames ; x=1"));
    cr_assert_not(announces("POST", "application/vnd.curlew.frames2"));
    cr_assert_not(announces("POST", "application/json"));
    cr_assert_not(announces("POST", ""));
    cr_assert_not(announces("GET", "application/vnd.curlew.frames"));
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    cr_assert_not(upload_request_is_announced(&t.x));
}

Test(upload_request, only_an_announced_one_is_opened)
{
    struct failure err = { 0 };

    cr_assert_eq(upload_request_open(&t.x, &err), 0);
    cr_assert_null(t.x.fetch->upload);
    t.x.uploads = true;
    cr_assert_eq(upload_request_open(&t.x, &err), -1);
    cr_assert_not_null(strstr(err.detail, "body_follows: required"));
    t.x.fetch->request.body_follows = true;
    t.x.fetch->request.upload_length = 10;
    err = (struct failure){ 0 };
    cr_assert_eq(upload_request_open(&t.x, &err), 0);
    cr_assert_eq(upload_pipe_length(t.x.fetch->upload), 10);
}
