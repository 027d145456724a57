/*
 * field_reader.h - one JSON value into one member of a struct, as a table's row says.
 *
 * The request object, the configuration and its sessions are tables of these.
 */
#ifndef MESSAGE_FIELD_READER_H
#define MESSAGE_FIELD_READER_H

#include "message/json.h"
#include "message/json_path.h"
#include "util/failure.h"

#include <stddef.h>
#include <stdint.h>

#define FIELD_BYTES_MAX (INT64_C(1) << 53) /* what every JSON library still counts exactly */

enum field_kind {
    FIELD_BOOL,    /* bool */
    FIELD_INT,     /* int, from min to max */
    FIELD_INT64,   /* int64_t, from min to max */
    FIELD_NUMBER,  /* double, above min and at most max */
    FIELD_TEXT,    /* char *, owned; min to max bytes */
    FIELD_PATH,    /* char *, owned: an absolute path */
    FIELD_CHOICE,  /* an enum: the index in `words` */
    FIELD_TWO_WAY, /* bool: false for the first of `words`, true for the second */
    FIELD_OTHER,   /* the table's owner reads it */
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t at; /* offsetof the member */
    int64_t min, max;
    const char *const *words; /* NULL-terminated */
};

/* 0; -1 with `err`: a wrong type or range, or no memory.  A text frees the one before it. */
int field_read(void *object, const struct field *f, const json_t *value, const struct json_path *at,
               struct failure *err);

/* Text without NUL; the caller owns *to and may hand in an older one, which is freed. */
int field_text(char **to, const json_t *value, const struct json_path *at, struct failure *err);

/* The value's own bytes; NULL with `err` where it is no text or holds a NUL. */
const char *field_string(const json_t *value, const struct json_path *at, struct failure *err);

/* The value that `text`, from a query or the environment, stands for.  A new reference, or NULL. */
json_t *field_from_text(enum field_kind kind, const char *text, size_t n);

#endif
