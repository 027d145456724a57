/*
 * resend.h - whether a request that was written may be written once more, without `retries`.
 *
 * libcurl does so by itself: after a kept connection has ended without a byte of a response, after
 * REFUSED_STREAM, and after a GOAWAY below the stream.  A second writing must not do a thing twice:
 * either the origin has certainly not processed the first (RFC 9113 section 8.7), or the method is
 * safe (RFC 9110 section 9.2.1).
 */
#ifndef FETCH_RESEND_H
#define FETCH_RESEND_H

#include "util/error.h"

#include <stdbool.h>

/* Why a request may be written again. */
enum resend_reason {
    RESEND_FORBIDDEN,
    RESEND_NOT_PROCESSED, /* whatever its method */
    RESEND_SAFE_METHOD,
    RESEND_REASONS
};

/* What became of the writings of one request so far; none of them was answered. */
struct unanswered {
    const char *method;
    int writings;
    bool wrote_bytes; /* at least one byte of the last writing went out */
    bool refused;     /* the origin said of the last one that it was not processed */
};

/* Does the method change nothing? */
bool resend_is_safe(const char *method);

enum resend_reason resend_decide(const struct unanswered *u);

/* Does the error tell callers that nothing was sent, so that they may send again? */
bool resend_error_says_unsent(enum error e);

/* The word for it in metrics. */
const char *resend_reason_name(enum resend_reason reason);

#endif
