/* test_impersonate.c - a browser's fingerprint, where libcurl is libcurl-impersonate. */

#include "transfer/impersonate.h"

#include "support/fetch_fixture.h"
#include "transfer/handle_cache.h"
#include "transfer/hop.h"

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

TestSuite(impersonate, .init = setup, .fini = teardown, .timeout = 20);

Test(impersonate, the_browser_of_an_earlier_fetch_is_taken_off)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");
    struct handle_cache cache = { .count = 0 };

    cr_assert_eq(handle_cache_acquire(&cache, f), 0);
    cr_assert_eq(impersonate_apply(f), 0);
    cr_assert_null(f->response.impersonated);
    easy_options_wear(&f->hop->options, "mosaic93", true);
    cr_assert_eq(impersonate_apply(f), 0);
    cr_assert(easy_options_wears(&f->hop->options, NULL, false));
    handle_cache_release(&cache, f);
    handle_cache_destroy(&cache);
    fetch_unref(f);
}

Test(impersonate, without_such_a_libcurl_the_way_to_one_is_told)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");
    struct handle_cache cache = { .count = 0 };

    cr_assert_eq(handle_cache_acquire(&cache, f), 0);
    f->request.impersonate = strdup("mosaic93");
    cr_assert_eq(impersonate_apply(f), -1);
    cr_assert_eq(f->failure.error, ERROR_UNSUPPORTED);
    cr_assert_not_null(strstr(f->failure.detail, "CURLEW_LIBCURL"), "%s", f->failure.detail);
    handle_cache_release(&cache, f);
    handle_cache_destroy(&cache);
    fetch_unref(f);
}
