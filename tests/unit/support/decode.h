/*
 * decode.h - a decoder of content codings with a sink that keeps what comes, or pauses, or stops.
 */
#ifndef SUPPORT_DECODE_H
#define SUPPORT_DECODE_H

#include "coding/content_coding.h"
#include "util/buffer.h"

struct decode {
    struct content_decoder *decoder;
    struct failure err;
    struct buffer out; /* what the sink took */
    size_t largest;    /* slice */
    size_t calls;
    bool pauses;     /* every slice at its first time */
    bool was_paused; /* by the last call */
    size_t stop_at;  /* bytes; 0: never */
    size_t yields;   /* of the decoder */
};

/* "gzip, br": as in Content-Encoding. */
void decode_open(struct decode *d, const char *codings);
void decode_close(struct decode *d);

/* One call, with nothing repeated. */
enum coding_result decode_once(struct decode *d, const char *bytes, size_t n);

/* content_coding_resume() */
enum coding_result decode_resume(struct decode *d);

/*
 * The bytes in pieces, as libcurl's write callback gets them: after a pause the same piece comes
 * again, together with the next one. The first result that is no pause and not CODING_OK ends it.
 */
enum coding_result decode_feed(struct decode *d, const char *bytes, size_t n, size_t piece);

/* All in one, and the end: CODING_OK, or CODING_FAILED with err set. */
enum coding_result decode_all(struct decode *d, const char *bytes, size_t n);

#endif
