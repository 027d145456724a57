/* test_cross_site.c - requests that pages of other sites have a browser make. */

#include "routes/cross_site.h"

#include "support/codec_fixture.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <string.h>

static struct codec_fixture t;
static struct cross_site c;
static struct exchange x;
static struct failure err;

static void
setup(void)
{
    codec_fixture_open(&t);
    cross_site_init(&c);
    exchange_init(&x);
}

static void
teardown(void)
{
    exchange_destroy(&x);
    cross_site_destroy(&c);
    codec_fixture_close(&t);
    runner_check_leaks();
}

TestSuite(cross_site, .init = setup, .fini = teardown, .timeout = 10);

static bool
passes(const char *const *params)
{
    libfcgi_codec_free(t.codec);
    buffer_clear(&t.in);
    t.codec = libfcgi_codec_new(&t.in, &t.out);
    codec_fixture_accept(&t, params);
    x.codec = t.codec;
    err = (struct failure){ 0 };
    if (cross_site_check(&c, &x, &err) == 0)
        return true;
    cr_assert_eq(err.error, ERROR_FORBIDDEN);
    return false;
}

#define PASSES(...) passes((const char *const[]){ __VA_ARGS__, NULL })
#define HOST        "HTTP_HOST", "site.test"

static void
allow(const char *origin)
{
    char *const list[] = { (char *)origin };

    cr_assert_eq(cross_site_allow(&c, list, origin != NULL, &err), 0);
}

Test(cross_site, a_program_sends_neither_header)
{
    cr_assert(PASSES(HOST));
    cr_assert(PASSES("REQUEST_METHOD", "POST"));
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "", "HTTP_SEC_FETCH_SITE", ""));
}

Test(cross_site, Sec_Fetch_Site_decides_where_it_is)
{
    cr_assert(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "same-origin"));
    cr_assert(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "none"), "somebody has typed the address");
    cr_assert_not(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "cross-site"));
    cr_assert_not(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "same-site"), "a site next door");
    cr_assert_not(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "anything else"));
    cr_assert_not(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "same-origin, cross-site"));
    cr_assert_not(
        PASSES(HOST, "HTTP_SEC_FETCH_SITE", "cross-site", "HTTP_ORIGIN", "http://site.test"));
    cr_assert_not_null(strstr(err.detail, "auth.origins"));
}

/* A proxy on the way may have put its own name into Host. */
Test(cross_site, where_the_browser_says_same_origin_the_host_does_not_matter)
{
    cr_assert(PASSES("HTTP_HOST", "upstream", "HTTP_SEC_FETCH_SITE", "same-origin", "HTTP_ORIGIN",
                     "https://site.test"));
}

Test(cross_site, an_old_browser_tells_by_Origin)
{
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "http://site.test"));
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "https://site.test"), "TLS may end before us");
    cr_assert(PASSES("HTTP_HOST", "site.test:8080", "HTTP_ORIGIN", "http://site.test:8080"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://evil.test"));
    cr_assert_not_null(strstr(err.detail, "http://evil.test"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://site.test.evil.test"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://site.test:8080"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "null"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://site.test, http://evil.test"));
    cr_assert_not(PASSES("HTTP_ORIGIN", "http://site.test"), "without a Host nothing is the same");
}

Test(cross_site, a_page_without_TLS_is_another_origin_of_a_site_that_has_it)
{
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://site.test", "HTTPS", "on"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://site.test", "REQUEST_SCHEME", "https"));
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "https://site.test", "HTTPS", "on"));
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "http://site.test", "HTTPS", "off"));
    cr_assert(
        PASSES(HOST, "HTTP_ORIGIN", "http://site.test", "HTTPS", "", "REQUEST_SCHEME", "http"));
}

Test(cross_site, origins_of_the_setting_are_allowed)
{
    allow("https://app.test");
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "https://app.test"));
    cr_assert(PASSES(HOST, "HTTP_ORIGIN", "https://app.test", "HTTP_SEC_FETCH_SITE", "cross-site"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "http://app.test"));
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "https://app.test:444"));
    cr_assert_not(PASSES(HOST, "HTTP_SEC_FETCH_SITE", "cross-site"), "an <img> has no Origin");
    allow("https://other.test");
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "https://app.test"), "the old ones are forgotten");
    allow(NULL);
    cr_assert_not(PASSES(HOST, "HTTP_ORIGIN", "https://other.test"));
}
