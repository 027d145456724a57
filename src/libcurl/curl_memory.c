/* curl_memory.c - how often libcurl, or OpenSSL on its behalf, was refused memory. */

#include "libcurl/curl_memory.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t failures;

static void *
check(void *p)
{
    if (p == NULL)
        failures++;
    return p;
}

static void *
counting_malloc(size_t n)
{
    return check(malloc(n));
}

static void *
counting_realloc(void *p, size_t n)
{
    return check(realloc(p, n));
}

static void *
counting_calloc(size_t count, size_t n)
{
    return check(calloc(count, n));
}

static char *
counting_strdup(const char *text)
{
    return check(strdup(text));
}

/* -- OpenSSL, where libcurl uses that one ---------------------------------------- */

typedef void *openssl_malloc(size_t n, const char *file, int line);
typedef void *openssl_realloc(void *p, size_t n, const char *file, int line);
typedef void openssl_free(void *p, const char *file, int line);
typedef int openssl_setter(openssl_malloc *m, openssl_realloc *r, openssl_free *f);

static void *
malloc_for_openssl(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return counting_malloc(n);
}

static void *
realloc_for_openssl(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return counting_realloc(p, n);
}

static void
free_for_openssl(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

/* Looked up, as this program is not linked with it.  It refuses once it has allocated anything. */
static void
count_openssl(void)
{
    openssl_setter *set = (openssl_setter *)dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");

    if (set != NULL)
        set(malloc_for_openssl, realloc_for_openssl, free_for_openssl);
}

/* -- both ---------------------------------------------------------------------- */

int
curl_memory_init(void)
{
    count_openssl();
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, counting_malloc, free, counting_realloc,
                                counting_strdup, counting_calloc) == CURLE_OK
               ? 0
               : -1;
}

uint64_t
curl_memory_failures(void)
{
    return failures;
}
