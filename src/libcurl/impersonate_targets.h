/*
 * impersonate_targets.h - the names of browsers, and which of them the libcurl in use can wear.
 *
 * A target is a name that libcurl-impersonate itself knows, such as chrome152.  An alias, such as
 * chrome, stands for the newest of its family that the library takes.  Aliases and targets are
 * those of curl_cffi 0.17; targets of a newer library are known by asking it.
 */
#ifndef LIBCURL_IMPERSONATE_TARGETS_H
#define LIBCURL_IMPERSONATE_TARGETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* What to do where it lacks something. */
#define IMPERSONATE_TARGETS_ADVICE \
    "Install curl_cffi, and set CURLEW_LIBCURL to the path of its _wrapper.abi3.so"

typedef CURLcode impersonate_targets_wear(CURL *easy, const char *target, int default_headers);

/* curl_easy_impersonate(), looked up; NULL: this libcurl is no libcurl-impersonate. */
impersonate_targets_wear *impersonate_targets_function(void);

/*
 * The target that `name`, a target or an alias, stands for; NULL: this libcurl knows none.  The
 * result lives as long as the process.  Any thread may call it.  The first call asks the library
 * for each target, which takes about a millisecond.
 */
const char *impersonate_targets_find(const char *name);

/* The i-th target that the library takes, by family and from new to old; NULL: no more. */
const char *impersonate_targets_get(size_t i);

#endif
