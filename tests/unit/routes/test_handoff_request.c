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
    if (handoff_request_load(&t.x, &err) != 0)
        return -1;
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

    cr_assert_eq(handoff_store_put(t.routes.handoff_store, object, strlen(object), AUTH_NOBODY,
                                   reference + 1, &err),
                 0);
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

/* -- tokens ---------------------------------------------------------------- */

#define ALL  "0123456789abcdef"
#define SHOP "fedcba9876543210"

static char reference[HANDOFF_STORE_NAME_SIZE + 1] = "@";

static uint64_t
number_of(const char *authorization)
{
    uint64_t number;

    cr_assert_eq(auth_identify(&t.auth, authorization, &number, &err), 0, "%s", err.detail);
    return number;
}

static void
store_by(uint64_t token, const char *object)
{
    cr_assert_eq(handoff_store_put(t.routes.handoff_store, object, strlen(object), token,
                                   reference + 1, &err),
                 0);
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST", reference, "HTTP_AUTHORIZATION", "Bearer " ALL);
}

static void
is_refused(enum error error, const char *detail)
{
    cr_assert_eq(read_request(), -1);
    cr_assert_eq(err.error, error, "%s", err.detail);
    cr_assert_not_null(strstr(err.detail, detail), "%s", err.detail);
    request_destroy(&r);
}

Test(handoff_request, with_tokens_only_a_reference_counts)
{
    route_fixture_set_tokens(&t, ALL "\n");
    ROUTE_ACCEPT(&t, "CURLEW_REQUEST", "{\"url\":\"http://a.test/\"}", "HTTP_AUTHORIZATION",
                 "Bearer " ALL);
    is_refused(ERROR_UNAUTHORIZED, "made by POST .../v1/handoffs with a bearer token");
}

Test(handoff_request, a_reference_made_with_a_token_counts)
{
    route_fixture_set_tokens(&t, SHOP " default\n");
    store_by(number_of("Bearer " SHOP), "{\"url\":\"http://a.test/\"}");
    cr_assert_eq(read_request(), 0, "%s", err.detail);
    request_destroy(&r);
}

Test(handoff_request, a_reference_is_no_longer_good_once_its_token_is_revoked)
{
    route_fixture_set_tokens(&t, ALL "\n" SHOP "\n");
    store_by(number_of("Bearer " SHOP), "{\"url\":\"http://a.test/\"}");
    route_fixture_set_tokens(&t, ALL "\n");
    is_refused(ERROR_UNAUTHORIZED, "not known any more");
}

Test(handoff_request, a_reference_is_for_the_sessions_that_its_token_may_use_now)
{
    route_fixture_set_tokens(&t, SHOP "\n");
    store_by(number_of("Bearer " SHOP), "{\"url\":\"http://a.test/\"}");
    route_fixture_set_tokens(&t, SHOP " shop\n");
    is_refused(ERROR_UNKNOWN_SESSION, "\"default\"");
}

Test(handoff_request, a_reference_from_before_tokens_were_configured_is_not_good)
{
    store_by(number_of(NULL), "{\"url\":\"http://a.test/\"}");
    route_fixture_set_tokens(&t, ALL "\n");
    is_refused(ERROR_UNAUTHORIZED, "there was none");
}
