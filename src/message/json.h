/*
 * json.h - reading JSON strictly: jansson, plus what the contract adds.
 *
 * Every reader names what is wrong in `why`, with the key's path ("timeout.connect").
 */
#ifndef MESSAGE_JSON_H
#define MESSAGE_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64

/*
 * One document, whole: no duplicate keys, at most 64 levels, valid UTF-8; NULs in strings are read
 * and left for the key's own reader to judge.  NULL with `why` (bad_request, with line and column).
 */
json_t *json_parse(const char *text, size_t size, struct failure *why);

#endif
