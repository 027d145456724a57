/*
 * curl_features.h - what the libcurl that the program runs with is, and what it can do.
 */
#ifndef TRANSFER_CURL_FEATURES_H
#define TRANSFER_CURL_FEATURES_H

#include <stdbool.h>

/* libcurl's own line: its version, its TLS library and the others. */
const char *curl_features_text(void);

bool curl_features_has_http2(void);
bool curl_features_has_http3(void);

/* Does c-ares look names up, rather than a thread for each? */
bool curl_features_has_cares_resolver(void);

#endif
