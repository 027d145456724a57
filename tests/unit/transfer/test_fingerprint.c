/* test_fingerprint.c - `fingerprint` on a libcurl that is no libcurl-impersonate. */

#include "transfer/fingerprint.h"

#include "support/handle_fixture.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>
#include <string.h>

static struct handle_fixture t;
static struct curlew_fetch *f;

static void
setup(void)
{
    handle_fixture_open(&t);
    f = t.fetch;
}

static void
teardown(void)
{
    handle_fixture_close(&t);
}

TestSuite(fingerprint, .init = setup, .fini = teardown, .timeout = 20);

static void
give(enum extra_fingerprint_key key)
{
    f->request.extra = extra_fingerprint_new();
    f->request.extra->set = UINT32_C(1) << key;
}

static void
lacks(const char *detail)
{
    cr_assert_eq(fingerprint_apply(f), -1);
    cr_assert_eq(f->failure.error, ERROR_UNSUPPORTED);
    cr_assert_eq(strncmp(f->failure.detail, detail, strlen(detail)), 0, "%s", f->failure.detail);
    cr_assert_not_null(strstr(f->failure.detail, "CURLEW_LIBCURL"));
}

Test(fingerprint, without_one_nothing_is_done)
{
    cr_assert_eq(fingerprint_apply(f), 0);
    cr_assert_eq(fingerprint_tls_min(&f->request), 0);
}

Test(fingerprint, what_any_libcurl_has_is_set)
{
    give(EXTRA_WEIGHT);
    f->request.extra->http2_stream_weight = 42;
    cr_assert_eq(fingerprint_apply(f), 0, "%s", f->failure.detail);
}

Test(fingerprint, an_option_that_is_missing_is_named)
{
    f->request.ja3 = strdup("771,4865,0,29,0");
    lacks("fingerprint.ja3: this libcurl has no option TLS_EXTENSION_ORDER. ");
}

Test(fingerprint, an_option_of_the_frames_that_is_missing_is_named)
{
    f->request.akamai = strdup("1:1|0|0|masp");
    lacks("fingerprint.akamai: this libcurl has no option HTTP2_SETTINGS. ");
}

Test(fingerprint, an_option_of_http_3_that_is_missing_is_named)
{
    f->request.perk = strdup("|masp|");
    lacks("fingerprint.perk: this libcurl has no option HTTP3_SETTINGS. ");
}

Test(fingerprint, an_option_of_a_detail_that_is_missing_is_named)
{
    give(EXTRA_GREASE);
    lacks("fingerprint.extra.tls_grease: this libcurl has no option TLS_GREASE. ");
}

Test(fingerprint, the_least_tls_version_is_the_details_or_that_of_ja3)
{
    f->request.ja3 = strdup("771,4865,0,29,0");
    cr_assert_eq(fingerprint_tls_min(&f->request), CURL_SSLVERSION_TLSv1_2);
    give(EXTRA_TLS_MIN_VERSION);
    f->request.extra->tls_min_version = EXTRA_TLS_1_3;
    cr_assert_eq(fingerprint_tls_min(&f->request), CURL_SSLVERSION_TLSv1_3);
}
