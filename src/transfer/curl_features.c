/* curl_features.c - what the libcurl that the program runs with is, and what it can do. */

#include "transfer/curl_features.h"

#include <curl/curl.h>
#include <string.h>

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

/* A libcurl may ask c-ares for HTTPS records alone, and threads for addresses: "asyn-rr". */
bool
curl_features_has_cares_resolver(void)
{
    const curl_version_info_data *in_use = curl_version_info(CURLVERSION_NOW);

    if (in_use->ares_num == 0)
        return false;
    for (const char *const *name = in_use->feature_names; *name != NULL; name++)
        if (strcmp(*name, "asyn-rr") == 0)
            return false;
    return true;
}
