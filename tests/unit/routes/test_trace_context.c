/* test_trace_context.c - the caller's trace context, passed on to the origin. */

#include "routes/trace_context.h"

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

TestSuite(trace_context, .init = setup, .fini = teardown, .timeout = 30);

static struct request r;
static struct failure err;

static const char *
found(const char *name)
{
    request_init(&r);
    cr_assert_eq(trace_context_read(&t.x, &r, &err), 0);
    return trace_context_find(&r, name);
}

Test(trace_context, the_three_headers_are_read)
{
    ROUTE_ACCEPT(&t, "HTTP_TRACEPARENT", "00-a-b-01", "HTTP_TRACESTATE", "v=1", "HTTP_X_REQUEST_ID",
                 "id");
    cr_assert_str_eq(found("traceparent"), "00-a-b-01");
    cr_assert_str_eq(trace_context_find(&r, "tracestate"), "v=1");
    cr_assert_str_eq(trace_context_find(&r, "X-Request-ID"), "id");
    request_destroy(&r);
}

Test(trace_context, without_them_there_is_none)
{
    ROUTE_ACCEPT(&t);
    cr_assert_null(found("traceparent"));
    request_destroy(&r);
}

Test(trace_context, values_that_are_not_printable_or_empty_are_left_out)
{
    ROUTE_ACCEPT(&t, "HTTP_TRACEPARENT", "a\r\nX: y", "HTTP_TRACESTATE", "", "HTTP_X_REQUEST_ID",
                 "caf\xC3\xA9");
    cr_assert_null(found("traceparent"));
    cr_assert_null(trace_context_find(&r, "tracestate"));
    cr_assert_null(trace_context_find(&r, "X-Request-ID"));
    request_destroy(&r);
}

Test(trace_context, a_value_has_at_most_512_bytes)
{
    char longest[513], longer[514];

    memset(longest, 'x', sizeof longest);
    memset(longer, 'x', sizeof longer);
    longest[512] = longer[513] = '\0';
    ROUTE_ACCEPT(&t, "HTTP_TRACEPARENT", longest, "HTTP_TRACESTATE", longer);
    cr_assert_str_eq(found("traceparent"), longest);
    cr_assert_null(trace_context_find(&r, "tracestate"));
    request_destroy(&r);
}

/* -- of the request object ------------------------------------------------ */

static void
read_beside(const char *traceparent, const char *tracestate)
{
    request_init(&r);
    r.traceparent = traceparent != NULL ? strdup(traceparent) : NULL;
    r.tracestate = tracestate != NULL ? strdup(tracestate) : NULL;
    cr_assert_eq(trace_context_apply(&r, &err), 0);
    cr_assert_eq(trace_context_read(&t.x, &r, &err), 0);
}

Test(trace_context, a_request_object_has_its_own_parent_and_state_in_place_of_both)
{
    ROUTE_ACCEPT(&t, "HTTP_TRACEPARENT", "callers", "HTTP_TRACESTATE", "c=1", "HTTP_X_REQUEST_ID",
                 "id");
    read_beside("own", "o=1");
    cr_assert_str_eq(trace_context_find(&r, "traceparent"), "own");
    cr_assert_str_eq(trace_context_find(&r, "tracestate"), "o=1");
    cr_assert_str_eq(trace_context_find(&r, "X-Request-ID"), "id");
    cr_assert_eq(r.trace.count, 3);
    request_destroy(&r);
}

Test(trace_context, the_callers_state_does_not_follow_another_parent)
{
    ROUTE_ACCEPT(&t, "HTTP_TRACEPARENT", "callers", "HTTP_TRACESTATE", "c=1");
    read_beside("own", NULL);
    cr_assert_str_eq(trace_context_find(&r, "traceparent"), "own");
    cr_assert_null(trace_context_find(&r, "tracestate"));
    request_destroy(&r);
}

Test(trace_context, of_a_request_object_it_is_refused_unless_a_header_can_hold_it)
{
    request_init(&r);
    r.tracestate = strdup("a\r\nX: y");
    cr_assert_eq(trace_context_apply(&r, &err), -1);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, "tracestate: expected printable ASCII");
    request_destroy(&r);
}
