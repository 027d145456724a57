/*
 * fingerprint.h - the keys of `fingerprint`, as options of libcurl-impersonate.
 *
 * No distribution's libcurl has these options, and no header of it their numbers: they are looked
 * up by name in the libcurl in use.
 */
#ifndef TRANSFER_FINGERPRINT_H
#define TRANSFER_FINGERPRINT_H

#include "fetch/fetch.h"

/*
 * Has the libcurl in use what r's `key` needs, KEY_JA3, KEY_AKAMAI, KEY_PERK or KEY_EXTRA?  -1
 * with `err`, unsupported: it names the key, the option, and which library would have it.
 */
int fingerprint_check(const struct request *r, enum request_key key, struct failure *err)
    __attribute__((warn_unused_result));

/*
 * Set f's handle up as the request's fingerprint says, if there is one.  After impersonate_apply(),
 * which it overrides, and before all other options.  -1 with f->failure.
 */
int fingerprint_apply(struct curlew_fetch *f);

/* The CURL_SSLVERSION_… that the fingerprint begins with; 0: it says none. */
long fingerprint_tls_min(const struct request *r);

#endif
