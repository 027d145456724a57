/*
 * problem.h - a failure as application/problem+json (RFC 9457).
 */
#ifndef MESSAGE_PROBLEM_H
#define MESSAGE_PROBLEM_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

/* type, title, status, detail, code and, where libcurl said no, curl_code.  A new reference, or NULL. */
json_t *problem_json(const struct failure *f);

int problem_write(struct buffer *out, const struct failure *f);

#endif
