/*
 * request_pairs.h - the keys that hold names and values: headers, params, and forms for others.
 */
#ifndef MESSAGE_REQUEST_PAIRS_H
#define MESSAGE_REQUEST_PAIRS_H

#include "message/request_context.h"

request_read request_pairs_read_headers;

/* The headers of one part of a multipart body, which is not yet the request's. */
int request_pairs_read_part_headers(struct request_context *rd, struct part *part,
                                    const struct json_path *at, const json_t *value);

/* Only kept: request_pairs_apply_params() puts them into the URL, once that is known. */
request_read request_pairs_read_params;
int request_pairs_apply_params(struct request_context *rd);

/* Sees each name with each value as text, and must not keep either. */
typedef int request_text(struct request_context *rd, const struct json_path *at, const json_t *name,
                         const struct buffer *text, void *arg);

/* An object, or a list of [name, value], whose values are text, numbers, booleans or lists. */
int request_pairs_each(struct request_context *rd, const struct json_path *at, const json_t *value,
                       request_text *add, void *arg);

#endif
