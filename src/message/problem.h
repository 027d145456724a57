/*
 * problem.h - a failure as application/problem+json (RFC 9457).
 */
#ifndef MESSAGE_PROBLEM_H
#define MESSAGE_PROBLEM_H

#include "util/buffer.h"
#include "util/failure.h"

#include <jansson.h>

/*
 * type, title, status, detail, code, curl_code where libcurl failed, attempts where a request was
 * sent.  A new reference, or NULL.
 */
json_t *problem_json(const struct failure *f);

/* The same as text, appended, but for the closing brace: more members may follow. */
void problem_begin(struct buffer *out, const struct failure *f);

/* The same, whole.  0; -1: out of memory, or past out's limit. */
int problem_write(struct buffer *out, const struct failure *f);

#endif
