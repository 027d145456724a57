/*
 * impersonate.h - a browser's TLS and HTTP fingerprint, where libcurl is libcurl-impersonate.
 *
 * That build of libcurl adds one function, curl_easy_impersonate(), which sets a handle up like the
 * browser's. No distribution's libcurl has it, so it is looked up at run time.
 */
#ifndef TRANSFER_IMPERSONATE_H
#define TRANSFER_IMPERSONATE_H

#include "fetch/fetch.h"

/*
 * Does the libcurl in use know the browser?  0; or -1 with `err`, unsupported: it tells which
 * library would, or which browsers there are.
 */
int impersonate_check(const char *name, struct failure *err) __attribute__((warn_unused_result));

/*
 * Set f's handle up like the browser that the request names, if any, and the response's
 * `impersonated`.  Before all other options, which override it.  -1 with f->failure: as above.
 */
int impersonate_apply(struct curlew_fetch *f);

#endif
