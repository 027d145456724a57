/*
 * envelope.h - a response as JSON: the contract's envelope, as one document or as a frame.
 *
 * `encoding` is the charset that Content-Type declares, else "utf-8" where
 * the body is valid UTF-8, else null.  Text in a response's head that is not
 * UTF-8 is taken for ISO-8859-1, and a header value's bytes stand in `headers_base64`.  `tag` and
 * `index` come last, where there are any.
 */
#ifndef MESSAGE_ENVELOPE_H
#define MESSAGE_ENVELOPE_H

#include "http/request.h"
#include "http/response.h"
#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

/*
 * Append the envelope.  `index` < 0: not part of a batch.  0; -1: out of memory, or past out's
 * limit, and then out is marked failed.
 */
int envelope_write(struct buffer *out, const struct request *request, const struct response *r,
                   int index);

/*
 * The frame's first line, without the newline: the envelope without body.  The caller sends the
 * newline, then r->body.len raw bytes, then a newline.  `body_bytes` is r->body.len here.
 */
int envelope_write_head(struct buffer *out, const struct request *request, const struct response *r,
                        int index);

/*
 * The first line of a stream in frames, without the newline: what is known of the response when its
 * head has come.  So it has no body, encoding, trailers, timing.total, request.bytes_sent and
 * coalesced.  It reads nothing that the engine still writes while the body comes.
 */
int envelope_write_stream_head(struct buffer *out, const struct request *request,
                               const struct response *r);

/*
 * The envelope of a fetch that failed: {"ok": false, "error": {…}, "tag", "index"}; in frames with
 * "body_bytes": 0.
 */
int envelope_write_failure(struct buffer *out, const struct request *request,
                           const struct failure *f, const struct response *r, int index,
                           bool frame);

/*
 * The problem document of a failed fetch: that of problem.h, and, where a redirect could not be
 * followed, `response` with the last response's status, reason, url, headers and the history.
 */
int envelope_write_problem(struct buffer *out, const struct failure *f, const struct response *r);

#endif
