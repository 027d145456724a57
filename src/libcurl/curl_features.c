/* curl_features.c - what the libcurl that the program runs with is, and what it can do. */

#include "libcurl/curl_features.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#define NEEDED_NUM  0x080e00 /* as in curl_version_info_data.version_num */
#define NEEDED_TEXT "8.14"

#if LIBCURL_VERSION_NUM < NEEDED_NUM
#error "libcurl 8.14 or later is needed; on Debian 12 tools/deps.sh takes it from backports"
#endif

int
curl_features_check_version(struct failure *err)
{
    const curl_version_info_data *in_use = curl_version_info(CURLVERSION_NOW);

    if (in_use->version_num >= NEEDED_NUM)
        return 0;
    return failure_set(err, ERROR_INTERNAL,
                       "libcurl %s is in use, and " NEEDED_TEXT " or later is needed: older ones "
                       "can mix up the answers of different callers. Debian 12 has a newer one in "
                       "bookworm-backports",
                       in_use->version);
}

const char *
curl_features_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

static pthread_once_t asked = PTHREAD_ONCE_INIT;
static const char *text;

static void
ask_for_text(void)
{
    text = curl_version();
}

/* Each curl_version() writes the same bytes anew, and another thread may be reading them. */
const char *
curl_features_text(void)
{
    pthread_once(&asked, ask_for_text);
    return text;
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
