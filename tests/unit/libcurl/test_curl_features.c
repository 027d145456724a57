/* test_curl_features.c - what the libcurl that the program runs with is, and what it can do. */

#include "libcurl/curl_features.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

/* libcurl names the libraries that it was built with in its own line. */
Test(curl_features, http2_and_http3_go_by_the_libraries_of_libcurl)
{
    const char *text = curl_features_text();

    cr_assert_eq(strncmp(text, "libcurl", 7), 0, "%s", text);
    cr_assert_eq(curl_features_has_http2(), strstr(text, "nghttp2/") != NULL, "%s", text);
    cr_assert_eq(curl_features_has_http3(),
                 strstr(text, "nghttp3/") != NULL || strstr(text, "quiche/") != NULL, "%s", text);
}

Test(curl_features, the_version_is_the_first_in_libcurls_own_line)
{
    const char *version = curl_features_version();

    cr_assert_eq(strncmp(curl_features_text() + strlen("libcurl/"), version, strlen(version)), 0);
}

/* The tests run with the libcurl of this machine, which tools/deps.sh has made new enough. */
Test(curl_features, the_libcurl_of_the_tests_is_new_enough)
{
    struct failure err = { 0 };

    cr_assert_eq(curl_features_check_version(&err), 0, "%s", err.detail);
    cr_assert_eq(err.error, ERROR_NONE);
}

Test(curl_features, the_text_is_written_once)
{
    char *text = (char *)curl_features_text();

    text[0] = 'L'; /* in libcurl's buffer, which curl_version() would write anew */
    cr_assert_eq(curl_features_text()[0], 'L', "another thread may be reading it");
}
