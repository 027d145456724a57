/*
 * json.h - reading JSON strictly (jansson, plus what the contract adds), and writing any value.
 */
#ifndef MESSAGE_JSON_H
#define MESSAGE_JSON_H

#include "util/buffer.h"
#include "util/failure.h"

#include <jansson.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64

/*
 * One document, whole, of any type (NULL is an empty one): no duplicate keys, at most 64 levels,
 * valid UTF-8; NULs in strings are read and left for the key's own reader to judge.  A new
 * reference; NULL with `err` (bad_request, with line and column, both from 1, the column in
 * characters).
 */
json_t *json_parse(const char *text, size_t size, struct failure *err);

/*
 * Append a value: compact, keys in their order, reals as the shortest text that reads back as the
 * same number.
 */
void json_add_value(struct buffer *to, const json_t *value);

#endif
