/* impersonate.c - a browser's TLS and HTTP fingerprint, where libcurl is libcurl-impersonate. */

#include "transfer/impersonate.h"

#include "transfer/hop.h"

#include <dlfcn.h>

typedef CURLcode impersonate(CURL *easy, const char *target, int default_headers);

static impersonate *
look_up(void)
{
    return (impersonate *)dlsym(RTLD_DEFAULT, "curl_easy_impersonate");
}

bool
impersonate_is_offered(void)
{
    return look_up() != NULL;
}

int
impersonate_apply(struct curlew_fetch *f)
{
    const char *target = f->request.impersonate;
    impersonate *apply = target != NULL ? look_up() : NULL;

    if (target == NULL || (apply != NULL && apply(f->hop->easy, target, 1) == CURLE_OK))
        return 0;
    return failure_set(&f->failure, ERROR_UNSUPPORTED,
                       "impersonate: this libcurl knows no browser \"%.64s\"", target);
}
