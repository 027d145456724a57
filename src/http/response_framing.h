/*
 * response_framing.h - what in a response's head says where the message begins and ends.
 *
 * libcurl takes much that RFC 9112 forbids: a length with a word behind it, two lengths, a
 * `Transfer-Encoding` that it doesn't know, any protocol's name.  Where two readers can differ on
 * the end of a body, one answer becomes two; so what isn't exactly right is a protocol_error.
 */
#ifndef HTTP_RESPONSE_FRAMING_H
#define HTTP_RESPONSE_FRAMING_H

#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_FRAMING_NO_LENGTH (-1)

struct response_framing {
    int64_t length; /* Content-Length; RESPONSE_FRAMING_NO_LENGTH: none */
    bool chunked;   /* the length does not count then (RFC 9112 section 6.3) */
    bool http_1_0;  /* which has no chunks */
};

struct status_line {
    int status;
    bool http_1_0;
    const char *reason; /* within the line */
    size_t reason_size;
};

void response_framing_init(struct response_framing *r);

/* Read a status line, without its CRLF.  -1 with err: it is none, or its status is below 100. */
int response_framing_read_status(struct status_line *s, const char *line, size_t n,
                                 struct failure *err) __attribute__((warn_unused_result));

/*
 * One field of the head: the name is all before the colon, the value has no blanks around it.
 * -1 with err, which names the field: Content-Length is no decimal number below 2^63, or differs
 * from the one before; Transfer-Encoding is not `chunked` alone; a blank stands beside either name.
 */
int response_framing_add(struct response_framing *r, const char *name, size_t name_size,
                         const char *value, size_t value_size, struct failure *err)
    __attribute__((warn_unused_result));

/* Is it a field of the framing?  Such a one must not go on in a folded line. */
bool response_framing_is_field(const char *name);

/*
 * Chunked, and with a length or by HTTP/1.0: others on the way may see another end of the body, so
 * the connection must not be used again (RFC 9112 sections 6.1 and 6.3).
 */
bool response_framing_is_doubtful(const struct response_framing *r);

/* The length that a stream may pass on: one that counts.  RESPONSE_FRAMING_NO_LENGTH: none. */
int64_t response_framing_known_length(const struct response_framing *r);

#endif
