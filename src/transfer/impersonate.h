/*
 * impersonate.h - a browser's TLS and HTTP fingerprint, where libcurl is libcurl-impersonate.
 *
 * That build of libcurl adds one function, curl_easy_impersonate(), which sets a handle up like the
 * browser's. No distribution's libcurl has it, so it is looked up at run time.
 */
#ifndef TRANSFER_IMPERSONATE_H
#define TRANSFER_IMPERSONATE_H

#include "fetch/fetch.h"

bool impersonate_is_offered(void);

/*
 * Set f's handle up like the browser that the request names, if any.  Before all other options,
 * which override it.  -1 with f->failure: this libcurl doesn't know the browser.
 */
int impersonate_apply(struct curlew_fetch *f);

#endif
