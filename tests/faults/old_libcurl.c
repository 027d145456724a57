/*
 * old_libcurl.c - preloaded into the daemon: the libcurl in use says that it is Debian 12's 7.88.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>

typedef curl_version_info_data *version_info(CURLversion);

curl_version_info_data *
curl_version_info(CURLversion age)
{
    static curl_version_info_data old;

    old = *((version_info *)dlsym(RTLD_NEXT, "curl_version_info"))(age);
    old.version = "7.88.1";
    old.version_num = 0x075801;
    return &old;
}
