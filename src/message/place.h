/*
 * place.h - where in a document a value stands, so that an error can name it.
 *
 * A chain of places on the stack, from the value up to the document; it is
 * written out ("cookies[2].name") only when something is wrong.
 */
#ifndef MESSAGE_PLACE_H
#define MESSAGE_PLACE_H

#include "util/error.h"

#include <stddef.h>

struct place {
    const struct place *parent; /* NULL: the document */
    const char *name;           /* of a key; NULL: an element of a list */
    size_t index;               /* of the element */
};

/* Each fills `err` and returns -1. */
int place_refuse(const struct place *at, struct failure *err, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* bad_request: `timeout.connect: expected …` */
int place_unknown(const struct place *at, struct failure *err);     /* `unknown key "urll"` */
int place_unsupported(const struct place *at, struct failure *err); /* this libcurl has it not */

/* What a lower floor refused, its detail put under `at` (NULL: as it is). */
int place_pass(const struct place *at, const struct failure *inner, struct failure *err);

#endif
