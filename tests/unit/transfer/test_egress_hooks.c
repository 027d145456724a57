/* test_egress_hooks.c - what the egress rules refuse, and who shares a connection. */

#include "transfer/egress_hooks.h"

#include "support/fetch_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fetch_fixture t;

static void
setup(void)
{
    fetch_fixture_open(&t);
}

static void
teardown(void)
{
    fetch_fixture_close(&t);
}

TestSuite(egress_hooks, .init = setup, .fini = teardown, .timeout = 20);

Test(egress_hooks, a_refused_url_is_counted_and_named)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://10.0.0.1/");

    cr_assert_eq(egress_hooks_check_url(f, &f->url), -1);
    cr_assert_eq(f->failure.error, ERROR_BLOCKED);
    cr_assert_not_null(strstr(f->failure.detail, "10.0.0.1"));
    cr_assert_eq(counter_read(&t.stats.guard_refusals), 1);
    fetch_unref(f);
}

Test(egress_hooks, an_allowed_url_is_not_counted)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://127.0.0.1/");

    cr_assert_eq(egress_hooks_check_url(f, &f->url), 0);
    cr_assert_eq(counter_read(&t.stats.guard_refusals), 0);
    fetch_unref(f);
}

static long
scope(enum http_version version, const char *proxy, const char *password)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://127.0.0.1/");
    long scope;

    f->request.http_version = version;
    f->request.proxy = proxy != NULL ? strdup(proxy) : NULL;
    f->request.proxy_auth.user = password != NULL ? strdup("u") : NULL;
    f->request.proxy_auth.password = password != NULL ? strdup(password) : NULL;
    scope = egress_hooks_scope(f);
    fetch_unref(f);
    return scope;
}

Test(egress_hooks, a_connection_is_shared_by_requests_that_agree_on_version_and_proxy)
{
    cr_assert_eq(scope(HTTP_AUTO, NULL, NULL), 0);
    cr_assert_neq(scope(HTTP_1_1, NULL, NULL), scope(HTTP_2_PRIOR_KNOWLEDGE, NULL, NULL));
    cr_assert_eq(scope(HTTP_1_1, "http://p:1", "x"), scope(HTTP_1_1, "http://p:1", "x"));
    cr_assert_neq(scope(HTTP_1_1, "http://p:1", "x"), scope(HTTP_1_1, "http://p:1", "y"));
    cr_assert_neq(scope(HTTP_1_1, "http://p:1", "x"), scope(HTTP_1_1, "http://p:1", NULL));
    cr_assert_neq(scope(HTTP_1_1, "http://p:1", NULL), scope(HTTP_1_1, "http://q:1", NULL));
}
