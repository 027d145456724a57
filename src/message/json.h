/*
 * json.h - reading JSON strictly (jansson, plus what the contract adds), and writing any value.
 */
#ifndef MESSAGE_JSON_H
#define MESSAGE_JSON_H

#include "util/buffer.h"
#include "util/failure.h"
#include "json/json_memory.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64

/*
 * One document, whole, of any type (NULL is an empty one): no duplicate keys, at most 64 levels,
 * valid UTF-8; NULs in strings are read and left for the key's own reader to judge.  A new
 * reference; NULL with `err` (bad_request, with line and column, both from 1, the column in
 * characters).
 */
json_t *json_parse(const char *text, size_t size, struct failure *err);

/*
 * As json_object_set_new() and json_array_append_new(), but where they fail, or the value is NULL,
 * the object or array is freed and becomes NULL: one that lacks something must not be shown.
 */
void json_put(json_t **object, const char *key, json_t *value);
void json_append(json_t **array, json_t *value);

/*
 * What a parsed document may take of memory: 4 times `request_bytes`, and 1 MiB at least.  Past it
 * json_parse() fails with request_too_large.  For all threads, at any time.
 */
void json_set_limit(int64_t request_bytes);

/*
 * The same in pieces: what can only be checked of the whole, and then each value from `start` to
 * `end`.  Errors tell the line and column in the text.
 */
int json_check(const char *text, size_t size, struct failure *err);
json_t *json_parse_piece(const char *text, size_t start, size_t end, struct failure *err);

/* The same as json_parse() with a limit of its own. */
json_t *json_parse_within(const char *text, size_t size, size_t max_bytes, struct failure *err);

/*
 * Append a value: compact, keys in their order, reals as the shortest text that reads back as the
 * same number.
 */
void json_add_value(struct buffer *to, const json_t *value);

#endif
