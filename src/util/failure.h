/*
 * failure.h - one failed request: which error, and the sentence that says what exactly.
 *
 * Passed down as `err`, filled once, read at the top.
 */
#ifndef UTIL_FAILURE_H
#define UTIL_FAILURE_H

#include "util/error.h"

struct failure {
    enum error error;
    int curl_code;    /* libcurl's CURLcode; 0 where libcurl did not fail */
    int attempts;     /* times that the fetch's requests went out; 0: none did */
    int retry_after;  /* seconds; 0: unknown, and error_retry_after() guesses */
    char detail[512]; /* names the key, the limit, the rule; UTF-8, cut to fit */
};

/*
 * Fills f, the first time only: the first cause is the one to report. Returns -1, for the
 * caller to pass on.
 */
int failure_set(struct failure *f, enum error e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Likewise, as internal. */
int failure_no_memory(struct failure *f);

#endif
