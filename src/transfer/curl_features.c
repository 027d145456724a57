/* curl_features.c - what the libcurl that the program runs with is, and what it can do. */

#include "transfer/curl_features.h"

#include <curl/curl.h>

const char *
curl_features_text(void)
{
    return curl_version();
}

static bool
has_feature(int bit)
{
    return (curl_version_info(CURLVERSION_NOW)->features & bit) != 0;
}

bool
curl_features_has_http2(void)
{
    return has_feature(CURL_VERSION_HTTP2);
}

bool
curl_features_has_http3(void)
{
    return has_feature(CURL_VERSION_HTTP3);
}
