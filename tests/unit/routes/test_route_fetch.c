/* test_route_fetch.c - POST and GET …/v1/fetch: one fetch, and its envelope. */

#include "routes/route_fetch.h"

#include "routes/fetch_response.h"
#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_fetch, .init = setup, .fini = teardown, .timeout = 30);

Test(route_fetch, a_request_object_is_answered_with_an_envelope)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    route_fetch_on_request(&t.x);
    route_fixture_await(&t);
    route_fixture_response(&t);
    cr_assert_not_null(strstr(t.response.data, "Status: 200 OK"));
    cr_assert_not_null(strstr(t.response.data, "Content-Type: application/json\r\n"));
    cr_assert_not_null(strstr(t.response.data, "\"body\":\"ok\""));
}

Test(route_fetch, a_frame_is_an_envelope_line_and_the_bytes)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_ACCEPT", FETCH_RESPONSE_FRAMES);
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    route_fetch_on_request(&t.x);
    route_fixture_await(&t);
    route_fixture_response(&t);
    cr_assert_not_null(strstr(t.response.data, "Content-Type: " FETCH_RESPONSE_FRAMES "\r\n"));
    cr_assert_not_null(strstr(t.response.data, "}\nok\n"));
    cr_assert_null(strstr(t.response.data, "\"body\""));
}

Test(route_fetch, a_failure_is_a_problem_document)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"http://127.0.0.1:1/\"}");
    route_fetch_on_request(&t.x);
    route_fixture_await(&t);
    route_fixture_expect(&t, "\"code\":\"connect_failed\"");
}
