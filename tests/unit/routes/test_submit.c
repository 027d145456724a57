/* test_submit.c - from a web server's request to a fetch in flight: read, authorize, submit. */

#include "routes/submit.h"

#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
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

TestSuite(submit, .init = setup, .fini = teardown, .timeout = 30);

static void
on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    (void)f;
    exchange_respond_empty(x);
}

static const struct exchange_ops ops = { .on_fetch_done = on_fetch_done };

static void
submits(bool stream)
{
    (stream ? submit_stream : submit_fetch)(&t.x, &ops);
    cr_assert_eq(t.x.in_flight, 1);
    route_fixture_await(&t);
    cr_assert_eq(t.x.fetch->failure.error, ERROR_NONE, "%s", t.x.fetch->failure.detail);
}

Test(submit, a_post_has_its_request_in_the_body)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"%s/body\"}", t.origin.url);
    submits(false);
    cr_assert_eq(strncmp(t.head, "GET /body ", 10), 0, "%s", t.head);
    cr_assert_eq(t.x.body.len, 0, "read, so its memory is free");
}

Test(submit, a_get_has_its_request_in_the_query)
{
    char query[200];

    snprintf(query, sizeof query, "url=%s/query", t.origin.url);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET", "QUERY_STRING", query);
    submits(true);
    cr_assert_eq(strncmp(t.head, "GET /query ", 11), 0, "%s", t.head);
    cr_assert_not_null(t.x.fetch->pipe);
}

Test(submit, the_callers_trace_goes_on_to_the_origin)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_X_REQUEST_ID", "id-7");
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    submits(false);
    cr_assert_not_null(strstr(t.head, "X-Request-ID: id-7\r\n"), "%s", t.head);
}

static void
refuses(const char *body, const char *text)
{
    exchange_reset(&t.x);
    route_fixture_set_body(&t, "%s", body);
    submit_fetch(&t.x, &ops);
    cr_assert_eq(t.x.in_flight, 0);
    route_fixture_expect(&t, text);
}

Test(submit, what_cannot_be_submitted_is_a_problem_document)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    refuses("", "the body is empty: a request object is needed");
    refuses("{", "\"code\":\"bad_request\"");
    refuses("{\"url\":\"http://a.test/\",\"forward_headers\":[\"range\"]}",
            "only a handoff can forward a browser's headers");
}

Test(submit, a_connection_beyond_the_limit_of_open_files_gets_no_fetch)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"http://a.test/\"}");
    t.x.is_surplus = true;
    submit_fetch(&t.x, &ops);
    cr_assert_eq(t.x.in_flight, 0);
    route_fixture_expect(&t, "\"code\":\"overloaded\"");
}

/* A web server that keeps its connection has sent it before it could know. */
Test(submit, a_drain_takes_what_still_comes)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    t.server.draining = true;
    submits(false);
}

Test(submit, a_token_is_needed_where_one_is_configured)
{
    route_fixture_ask_for_token(&t);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    refuses("{\"url\":\"http://a.test/\"}", "Status: 401");
}

Test(submit, a_token_lets_a_request_in)
{
    route_fixture_ask_for_token(&t);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_AUTHORIZATION", "Bearer " ROUTE_FIXTURE_TOKEN);
    route_fixture_set_body(&t, "{\"url\":\"%s/\"}", t.origin.url);
    submits(false);
}
