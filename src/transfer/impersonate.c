/* impersonate.c - a browser's TLS and HTTP fingerprint, where libcurl is libcurl-impersonate. */

#include "transfer/impersonate.h"

#include "libcurl/impersonate_targets.h"
#include "transfer/hop.h"

int
impersonate_check(const char *name, struct failure *err)
{
    if (impersonate_targets_function() == NULL)
        return failure_set(err, ERROR_UNSUPPORTED,
                           "impersonate: this libcurl cannot. " IMPERSONATE_TARGETS_ADVICE);
    if (impersonate_targets_find(name) == NULL)
        return failure_set(err, ERROR_UNSUPPORTED,
                           "impersonate: this libcurl knows no browser \"%.64s\"; see "
                           "libraries.impersonate in .../v1/status",
                           name);
    return 0;
}

int
impersonate_apply(struct curlew_fetch *f)
{
    const char *name = f->request.impersonate, *target;
    CURLcode rc;

    f->response.impersonated = NULL;
    if (name == NULL)
        return 0;
    if (impersonate_check(name, &f->failure) != 0)
        return -1;
    target = impersonate_targets_find(name);
    rc = impersonate_targets_function()(f->hop->easy, target, f->request.default_headers);
    if (rc != CURLE_OK)
        return rc == CURLE_OUT_OF_MEMORY
                   ? failure_no_memory(&f->failure)
                   : failure_set(&f->failure, ERROR_INTERNAL, "impersonate: \"%.64s\": %s", target,
                                 curl_easy_strerror(rc));
    f->response.impersonated = target;
    return 0;
}
