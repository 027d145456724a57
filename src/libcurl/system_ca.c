/* system_ca.c - the certificates of the authorities that are trusted by default. */

#include "libcurl/system_ca.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static const char *file;

static bool
is_readable(const char *path)
{
    return path != NULL && *path != '\0' && access(path, R_OK) == 0;
}

const char *
system_ca_find(const char *const *paths, const char *fallback)
{
    for (; *paths != NULL; paths++)
        if (is_readable(*paths))
            return *paths;
    return is_readable(fallback) ? fallback : NULL;
}

static void
look(void)
{
    static const char *const paths[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* likewise */
        "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
        "/etc/ssl/cert.pem",
        NULL,
    };

    if (!is_readable(curl_version_info(CURLVERSION_NOW)->cainfo))
        file = system_ca_find(paths, getenv("SSL_CERT_FILE"));
}

const char *
system_ca_file(void)
{
    pthread_once(&looked, look);
    return file;
}
