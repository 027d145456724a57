/* test_response_headers.c - the head of a streamed response: which headers it keeps. */

#include "routes/response_headers.h"

#include "support/route_fixture.h"
#include "support/runner.h"

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

TestSuite(response_headers, .init = setup, .fini = teardown, .timeout = 30);

static void
have_response(const char *const *pairs)
{
    struct response *response;

    t.x.fetch = runner_do(t.server.engine, runner_fetch("%s/", t.origin.url));
    response = &t.x.fetch->response;
    response_head_destroy(&response->head);
    cr_assert_eq(response_head_begin(&response->head, t.origin.url, 200, "OK", 2), 0);
    for (; *pairs != NULL; pairs += 2)
        cr_assert_eq(headers_add(&response->head.headers, pairs[0], strlen(pairs[0]), pairs[1],
                                 strlen(pairs[1])),
                     0);
    response_headers_write(&t.x);
}

#define RESPONSE(...) have_response((const char *const[]){ __VA_ARGS__, NULL })

static bool
has(const char *name)
{
    return strcasestr(t.x.head.data, name) != NULL;
}

Test(response_headers, hop_by_hop_headers_are_dropped_also_those_that_connection_names)
{
    RESPONSE("Connection", "close, X-Hop", "X-Hop", "1", "Keep-Alive", "5", "X-End", "2");
    cr_assert(has("\r\nX-End: 2\r\n") || strncmp(t.x.head.data, "X-End: 2\r\n", 10) == 0);
    cr_assert_not(has("X-Hop"));
    cr_assert_not(has("Keep-Alive"));
}

Test(response_headers, what_a_web_server_would_obey_is_dropped)
{
    RESPONSE("X-Accel-Redirect", "/etc", "X-Sendfile", "/etc", "Status", "500", "Curlew-Url", "x");
    cr_assert_not(has("/etc"));
    cr_assert_not(has("Status: 500"));
    cr_assert_not(has("Curlew-Url: x"));
    cr_assert(has("Status: 200 "));
}

Test(response_headers, a_handoff_keeps_cookies_and_caching_for_the_view)
{
    t.x.handoff = true;
    RESPONSE("Set-Cookie", "a=1", "Cache-Control", "public", "ETag", "e");
    cr_assert(has("ETag: e\r\n"));
    cr_assert_not(has("Set-Cookie"));
    cr_assert_not(has("Cache-Control"));
    cr_assert_not(has("Curlew-"));
}

/* "a: 1" of another origin would count for the site that the handoff is of. */
Test(response_headers, in_a_handoff_no_origin_speaks_for_the_site)
{
    static const char *const names[] = { "Clear-Site-Data", "Strict-Transport-Security", "alt-svc",
                                         "NEL", "Report-To" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        t.x.handoff = true;
        buffer_clear(&t.x.head);
        fetch_unref(t.x.fetch);
        t.x.fetch = NULL;
        RESPONSE(names[i], "1", "X-Kept", "1");
        cr_assert(has("X-Kept: 1\r\n"), "%s", names[i]);
        cr_assert_not(has(names[i]), "%s", names[i]);
    }
}
