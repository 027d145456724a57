/* test_handoff_request.c - a request that a view hands to the web server. */

#include "routes/handoff_request.h"

#include "http/request.h"
#include "routes/handoff_store.h"
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

TestSuite(handoff_request, .init = setup, .fini = teardown, .timeout = 30);

static struct request r;
static struct failure err;

static int
read_request(void)
{
    request_destroy(&r);
    request_init(&r);
    err = (struct failure){ 0 };
    return handoff_request_read(&t.x, &r, &err);
}

static const char *
header(const char *name)
{
    return headers_get(&r.headers, name);
}

Test(handoff_request, it_is_there_where_the_parameter_is_not_empty)
{
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST", "");
    cr_assert_not(handoff_request_is_present(&t.x));
}

Test(handoff_request, the_object_may_stand_in_the_parameter)
{
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST", "{\"url\":\"http://a.test/\"}");
    cr_assert(handoff_request_is_present(&t.x));
    cr_assert_eq(read_request(), 0, "%s", err.detail);
    cr_assert_str_eq(r.url, "http://a.test/");
    request_destroy(&r);
}

Test(handoff_request, a_reference_counts_once)
{
    static const char object[] = "{\"url\":\"http://a.test/\"}";
    char reference[HANDOFF_STORE_NAME_SIZE + 1] = "@";

    cr_assert_eq(
        handoff_store_put(t.routes.handoff_store, object, strlen(object), reference + 1, &err), 0);
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST", reference);
    cr_assert_eq(read_request(), 0, "%s", err.detail);
    cr_assert_str_eq(r.url, "http://a.test/");
    cr_assert_eq(read_request(), -1);
    cr_assert_not_null(strstr(err.detail, "unknown, used already, or too old"));
    request_destroy(&r);
}

Test(handoff_request, only_listed_headers_of_the_browser_are_forwarded)
{
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST",
                 "{\"url\":\"http://a.test/\",\"forward_headers\":[\"range\",\"if-range\"],"
                 "\"headers\":{\"If-Range\":\"own\"}}",
                 "HTTP_RANGE", "bytes=0-9", "HTTP_IF_RANGE", "browser", "HTTP_COOKIE", "sid=1");
    cr_assert_eq(read_request(), 0, "%s", err.detail);
    cr_assert_str_eq(header("range"), "bytes=0-9");
    cr_assert_str_eq(header("if-range"), "own", "the view's own header wins");
    cr_assert_null(header("cookie"));
    request_destroy(&r);
}
