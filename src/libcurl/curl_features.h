/*
 * curl_features.h - what the libcurl that the program runs with is, and what it can do.
 */
#ifndef LIBCURL_CURL_FEATURES_H
#define LIBCURL_CURL_FEATURES_H

#include "util/failure.h"

#include <stdbool.h>

/*
 * Headers and library may differ: the dynamic linker decides at start which library is used.  0;
 * or -1 with `err` naming the version in use and the one needed.  Before 8.14 one origin's answer
 * can end the process or become another caller's answer.
 */
int curl_features_check_version(struct failure *err) __attribute__((warn_unused_result));

/* libcurl's own line: its version, its TLS library and the others. */
const char *curl_features_text(void);

/* Its version alone: "8.14.1". */
const char *curl_features_version(void);

bool curl_features_has_http2(void);
bool curl_features_has_http3(void);

/* Does c-ares look names up, rather than a thread for each? */
bool curl_features_has_cares_resolver(void);

#endif
