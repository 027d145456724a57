/* test_request_pairs.c - headers and params of a request object: names with values. */

#include "message/request_pairs.h"

#include "support/request_fixture.h"

#include <stdio.h>

TestSuite(request_pairs, .init = setup, .fini = teardown);

/* -- headers ------------------------------------------------------------ */

Test(request_pairs, headers_are_an_object_or_pairs_and_null_removes)
{
    takes("{" URL ",\"headers\":{\"A\":\"1\",\"B\":null,\"C\":\"\"}}");
    cr_assert_eq(r.headers.count, 3);
    cr_assert_str_eq(r.headers.items[0].name, "A");
    cr_assert_str_eq(r.headers.items[0].value, "1");
    cr_assert_null(r.headers.items[1].value);
    cr_assert_str_eq(r.headers.items[2].value, "");

    takes("{" URL ",\"headers\":[[\"A\",\"1\"],[\"a\",\"2\"]]}");
    cr_assert_eq(r.headers.count, 2);
    cr_assert_str_eq(r.headers.items[1].name, "a");
}

Test(request_pairs, headers_that_would_end_the_line_are_refused)
{
    refuses("{" URL ",\"headers\":{\"A\":\"1\\r\\nB: 2\"}}",
            "headers.A: CR, LF and NUL are not allowed in a value");
    refuses("{" URL ",\"headers\":{\"A\":\"1\\n\"}}",
            "headers.A: CR, LF and NUL are not allowed in a value");
    refuses("{" URL ",\"headers\":{\"A: 1\\r\\nB\":\"2\"}}",
            "headers: \"A: 1\r\nB\" is not a header name");
    refuses("{" URL ",\"headers\":{\"\":\"2\"}}", "headers: \"\" is not a header name");
}

Test(request_pairs, a_headers_value_may_be_bytes)
{
    takes("{" URL ",\"headers\":[[\"A\",{\"base64\":\"Y2Fm6Q==\"}],[\"B\",{\"base64\":\"\"}]]}");
    cr_assert_str_eq(r.headers.items[0].value, "caf\xe9");
    cr_assert_str_eq(r.headers.items[1].value, "");
}

Test(request_pairs, headers_of_other_types_are_refused)
{
    refuses("{" URL ",\"headers\":{\"A\":1}}",
            "headers.A: expected a string, {\"base64\": …}, or null to remove the header");
    refuses("{" URL ",\"headers\":{\"A\":[\"1\"]}}",
            "headers.A: expected a string, {\"base64\": …}, or null to remove the header");
    refuses("{" URL ",\"headers\":{\"A\":{\"base64\":\"eA==\",\"x\":1}}}",
            "headers.A: expected a string, {\"base64\": …}, or null to remove the header");
    refuses("{" URL ",\"headers\":{\"A\":{\"base64\":\"!\"}}}",
            "headers.A.base64: expected base64 (RFC 4648 section 4) of bytes without NUL");
    refuses("{" URL ",\"headers\":{\"A\":{\"base64\":\"YQBi\"}}}",
            "headers.A.base64: expected base64 (RFC 4648 section 4) of bytes without NUL");
    refuses("{" URL ",\"headers\":[[\"A\",{\"base64\":\"eAp5\"}]]}",
            "headers.A: CR, LF and NUL are not allowed in a value");
    refuses("{" URL ",\"headers\":[\"A: 1\"]}", "headers[0]: expected [name, value]");
    refuses("{" URL ",\"headers\":\"A: 1\"}",
            "headers: expected an object or a list of [name, value]");
}

/* -- params ------------------------------------------------------------- */

static void
leads_to(const char *url, const char *params, const char *expected)
{
    char text[300];

    snprintf(text, sizeof text, "{\"params\":%s,\"url\":\"%s\"}", params, url);
    takes(text);
    cr_assert_str_eq(r.url, expected);
}

Test(request_pairs, params_go_into_the_query_before_the_fragment)
{
    leads_to("http://a/", "{\"x\":\"1\"}", "http://a/?x=1");
    leads_to("http://a/?y=2", "{\"x\":\"1\"}", "http://a/?y=2&x=1");
    leads_to("http://a/#f?g", "{\"x\":\"1\"}", "http://a/?x=1#f?g");
    leads_to("http://a/?y=2#f", "[[\"x\",\"1\"],[\"x\",\"2\"]]", "http://a/?y=2&x=1&x=2#f");
    leads_to("http://a/?", "{\"x\":\"1\"}", "http://a/?x=1");
    leads_to("http://a/?y=2#f", "{}", "http://a/?y=2#f");
}

Test(request_pairs, params_are_percent_encoded)
{
    leads_to("http://a/", "{\"a b\":\"c&d=e+f/\xC3\xA9#\"}",
             "http://a/?a%20b=c%26d%3De%2Bf%2F%C3%A9%23");
}

Test(request_pairs, a_list_as_value_repeats_the_name)
{
    leads_to("http://a/", "{\"x\":[\"1\",2,2.5,true,false],\"y\":[]}",
             "http://a/?x=1&x=2&x=2.5&x=true&x=false");
}

Test(request_pairs, params_of_other_types_are_refused)
{
    refuses("{" URL ",\"params\":{\"x\":null}}",
            "params.x: expected a string, a number, true, false or a list of these");
    refuses("{" URL ",\"params\":{\"x\":[[1]]}}",
            "params.x[0]: expected a string, a number, true, false or a list of these");
    refuses("{" URL ",\"params\":\"x=1\"}",
            "params: expected an object or a list of [name, value]");
    refuses("{" URL ",\"params\":[[\"x\\u0000\",1]]}", "params[0]: must not contain NUL");
}
