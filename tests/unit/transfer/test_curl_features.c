/* test_curl_features.c - what the libcurl that the program runs with is, and what it can do. */

#include "transfer/curl_features.h"

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
