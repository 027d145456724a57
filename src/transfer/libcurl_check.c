/* libcurl_check.c - is the libcurl that this process runs with one that can be trusted? */

#include "transfer/libcurl_check.h"

#include <curl/curl.h>

#define NEEDED_NUM  0x080e00 /* as in curl_version_info_data.version_num */
#define NEEDED_TEXT "8.14"

#if LIBCURL_VERSION_NUM < NEEDED_NUM
#error "libcurl 8.14 or later is needed; on Debian 12 tools/deps.sh takes it from backports"
#endif

int
libcurl_check(struct failure *err)
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
