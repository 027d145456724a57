/*
 * impersonate.h - a browser's TLS and HTTP fingerprint, where libcurl is libcurl-impersonate.
 *
 * That build of libcurl adds one function, curl_easy_impersonate(), which sets a handle up as the
 * browser would; no distribution's libcurl has it, so it is looked up at run time.
 */
#ifndef TRANSFER_IMPERSONATE_H
#define TRANSFER_IMPERSONATE_H

#include "fetch/fetch.h"

bool impersonate_offered(void);

/*
 * Set f->easy up as the browser that the request names, if any; before all other options, which
 * then have the last word.  -1 with f->failure: this libcurl does not know it.
 */
int impersonate_apply(struct curlew_fetch *f);

#endif
