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

/* -- proxies and redirects ------------------------------------------------------- */

static int
behind_proxy(const char *url, const char *own_proxy)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, url);
    int rc;

    f->request.proxy = strdup(own_proxy);
    rc = egress_hooks_check_url(f, &f->url);
    cr_assert(rc == 0 || f->failure.error == ERROR_BLOCKED);
    fetch_unref(f);
    return rc;
}

Test(egress_hooks, a_name_behind_a_proxy_that_only_the_request_names_is_refused)
{
    cr_assert_eq(behind_proxy("http://a.test/", "http://127.0.0.1:1"), -1);
    cr_assert_eq(behind_proxy("http://127.0.0.1/", "http://127.0.0.1:1"), 0);
    cr_assert_eq(counter_read(&t.stats.guard_refusals), 1);
    t.session->settings.proxy_resolves = true;
    cr_assert_eq(behind_proxy("http://a.test/", "http://127.0.0.1:1"), 0);
    cr_assert_eq(behind_proxy("http://10.0.0.1/", "http://127.0.0.1:1"), -1);
}

static int
redirect_to(const char *to, bool public_only, const char *proxy)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://127.0.0.1/");
    struct url next;
    int rc;

    f->request.redirects_public_only = public_only;
    f->request.proxy = proxy != NULL ? strdup(proxy) : NULL;
    cr_assert_eq(url_parse(&next, to, &f->failure), 0);
    rc = egress_hooks_check_redirect(f, &next);
    url_destroy(&next);
    fetch_unref(f);
    return rc;
}

Test(egress_hooks, redirects_may_be_asked_to_be_public_whatever_the_rules_allow)
{
    t.session->settings.proxy_resolves = true;
    cr_assert_eq(redirect_to("http://127.0.0.1/", false, NULL), 0);
    cr_assert_eq(redirect_to("http://127.0.0.1/", true, NULL), -1);
    cr_assert_eq(redirect_to("http://127.0.0.1/", true, "http://p"), -1);
    cr_assert_eq(redirect_to("http://8.8.8.8/", true, "http://p"), 0);
    cr_assert_eq(redirect_to("http://a.test/", true, NULL), 0, "its address is judged later");
    cr_assert_eq(redirect_to("http://a.test/", true, "http://p"), -1, "nobody sees its address");
    cr_assert_eq(redirect_to("http://a.test/", false, "http://p"), 0);
}

Test(egress_hooks, a_proxys_port_is_judged_by_the_ports_of_proxies)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://127.0.0.1/");

    f->proxy_host = strdup("p.test");
    cr_assert_eq(egress_hooks_check_proxy(f, 3128), 0);
    cr_assert_eq(egress_hooks_check_proxy(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_BLOCKED);
    fetch_unref(f);
}

Test(egress_hooks, a_connection_is_not_shared_by_two_client_keys)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "https://127.0.0.1/");
    struct session_config *config = &f->session->settings;
    char *key = config->client_key;
    long none = egress_hooks_scope(f), first, second;

    config->client_key = (char *)"/a.key";
    first = egress_hooks_scope(f);
    config->client_key = (char *)"/b.key";
    second = egress_hooks_scope(f);
    config->client_key = key;
    cr_assert_eq(none, 0);
    cr_assert_neq(first, none);
    cr_assert_neq(first, second);
    fetch_unref(f);
}

Test(egress_hooks, a_zone_of_a_literal_address_stays)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://[fe80::1%25lo]/");

    f->request.impersonate = strdup("chrome");
    cr_assert_eq(egress_hooks_scope(f), 0);
    fetch_unref(f);
}
