/* test_route_stream.c - …/v1/stream: one fetch, passed through as it comes. */

#include "routes/route_stream.h"

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

TestSuite(route_stream, .init = setup, .fini = teardown, .timeout = 30);

Test(route_stream, the_origins_head_is_passed_on)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    route_stream_on_request(&t.x);
    route_fixture_await(&t);
    cr_assert(t.x.streaming);
    route_fixture_response(&t);
    cr_assert_not_null(strstr(t.response.data, "Content-Type: text/plain\r\n"));
    cr_assert_not_null(strstr(t.response.data, "Status: 200 "));
}

Test(route_stream, in_frames_the_origins_head_is_the_first_line_of_the_body)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_ACCEPT", FETCH_RESPONSE_FRAMES);
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    route_stream_on_request(&t.x);
    route_fixture_await(&t);
    route_fixture_expect(&t, "Content-Type: " FETCH_RESPONSE_FRAMES "\r\n");
    route_fixture_expect(&t, "\r\n\r\n{\"ok\":true,\"status\":200,\"reason\":\"Reason 200\",");
    route_fixture_expect(&t, "[\"Content-Type\",\"text/plain\"]");
    route_fixture_expect(&t, "\"attempts\":1}\n");
    cr_assert_null(strstr(t.response.data, "Curlew-"));
}

Test(route_stream, a_failure_before_the_head_is_a_problem_document)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"http://127.0.0.1:1/\"}");
    route_stream_on_request(&t.x);
    route_fixture_await(&t);
    cr_assert_not(t.x.streaming);
    route_fixture_expect(&t, "\"code\":\"connect_failed\"");
}
