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

/* Only a reset takes a browser off the handle. */
static void
take_off(struct curlew_fetch *f)
{
    if (!easy_options_wears(&f->hop->options, NULL, false))
        easy_options_reset(&f->hop->options);
}

/* It costs as much as a fetch, so the handle keeps it. */
static CURLcode
put_on(struct curlew_fetch *f, const char *target)
{
    struct easy_options *o = &f->hop->options;
    bool default_headers = f->request.default_headers;

    if (easy_options_wears(o, target, default_headers))
        return CURLE_OK;
    easy_options_reset(o);
    easy_options_wear(o, target, default_headers);
    return impersonate_targets_function()(f->hop->easy, target, default_headers);
}

int
impersonate_apply(struct curlew_fetch *f)
{
    const char *name = f->request.impersonate, *target;
    CURLcode rc;

    f->response.impersonated = NULL;
    if (name == NULL) {
        take_off(f);
        return 0;
    }
    if (impersonate_check(name, &f->failure) != 0)
        return -1;
    target = impersonate_targets_find(name);
    rc = put_on(f, target);
    if (rc != CURLE_OK)
        return rc == CURLE_OUT_OF_MEMORY
                   ? failure_no_memory(&f->failure)
                   : failure_set(&f->failure, ERROR_INTERNAL, "impersonate: \"%.64s\": %s", target,
                                 curl_easy_strerror(rc));
    f->response.impersonated = target;
    return 0;
}
