/*
 * content_encoding.h - what a head's Content-Encoding fields say: the codings to undo, in order.
 *
 * Codings are undone from the last one to the first that is not known. `identity`, `none`,
 * `aws-chunked` and names of charsets (put there by mistake) are passed over: they say nothing
 * about the bytes.
 */
#ifndef HTTP_CONTENT_ENCODING_H
#define HTTP_CONTENT_ENCODING_H

#include "http/headers.h"
#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

/* More in a row are refused: nobody sends them, and each multiplies what a bomb can cost. */
#define CONTENT_ENCODING_MAX 4

enum content_coding { CODING_GZIP, CODING_DEFLATE, CODING_BROTLI, CODING_ZSTD };

struct content_encoding {
    enum content_coding codings[CONTENT_ENCODING_MAX]; /* as applied; undo the last one first */
    int count;                                         /* 0: the body stays as it is */
    struct buffer remaining; /* what stays on the body, such as "gzip, base64"; len 0: nothing */
};

/*
 * Reads all Content-Encoding fields of the head; without `undo` all codings remain. -1: there are
 * over CONTENT_ENCODING_MAX codings to undo (protocol_error), or no memory; err says which. Destroy
 * it in either case.
 */
int content_encoding_parse(struct content_encoding *e, const struct headers *head, bool undo,
                           struct failure *err) __attribute__((warn_unused_result));

/* Also of one that is all zero. */
void content_encoding_destroy(struct content_encoding *e);

/* The name as in Content-Encoding, such as "br". */
const char *content_encoding_name(enum content_coding coding);

#endif
