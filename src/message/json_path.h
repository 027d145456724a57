/*
 * json_path.h - where in a document a value stands, so that an error can name it.
 *
 * A chain of places on the stack, from the value up to the document; it is
 * written out ("cookies[2].name") only when something is wrong.
 */
#ifndef MESSAGE_JSON_PATH_H
#define MESSAGE_JSON_PATH_H

#include "util/failure.h"

#include <stddef.h>

struct json_path {
    const struct json_path *parent; /* NULL: the document */
    const char *name;               /* of a key; NULL: an element of a list */
    size_t index;                   /* of the element */
};

/* Each fills `err` and returns -1. */

/* bad_request: `timeout.connect: expected …`. */
int json_path_refuse(const struct json_path *at, struct failure *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `unknown key "urll"`. */
int json_path_unknown_key(const struct json_path *at, struct failure *err);

/* An error of a lower layer, its detail put under `at` (NULL: as it is). */
int json_path_pass(const struct json_path *at, const struct failure *inner, struct failure *err);

#endif
