/*
 * field.h - one member of a struct, described by a row of a table.
 *
 * The keys of a request, of a session and of the configuration are tables of these. Whoever sets,
 * copies, compares, reads or writes such a struct goes through its table, so that a new key is one
 * row and one member.
 */
#ifndef UTIL_FIELD_H
#define UTIL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_BYTES_MAX (INT64_C(1) << 53) /* the largest integer that a double holds exactly */

enum field_kind {
    FIELD_BOOL,    /* bool */
    FIELD_INT,     /* int, from min to max */
    FIELD_INT64,   /* int64_t, from min to max */
    FIELD_NUMBER,  /* double, above min and at most max */
    FIELD_MS,      /* int64_t, milliseconds; in JSON seconds, with a fraction */
    FIELD_TEXT,    /* char *, owned; min to max bytes */
    FIELD_PATH,    /* char *, owned: an absolute path */
    FIELD_CHOICE,  /* an enum: the index in `words` */
    FIELD_TWO_WAY, /* bool: false for the first of `words`, true for the second */
    FIELD_OTHER,   /* this and any later number: the table's owner knows how */
};

/* Flags; a table's owner has its own from 1 << 8 on. */
enum {
    FIELD_SECRET = 1 << 0, /* shown as "***" */
    FIELD_UNSET = 1 << 1,  /* not shown where it is 0 or NULL: that means "not given" */
};

struct field {
    const char *name; /* of its JSON key; inside a group with a dot: "timeout.connect" */
    int kind;         /* enum field_kind, or a number that the table's owner added */
    size_t at;        /* offsetof the member */
    int64_t min, max;
    const char *const *words; /* NULL-terminated */
    int64_t initial;          /* the member's value where the key is not given; strings: NULL */
    unsigned flags;
};

/* The index of the row of that name; `count`: there is none. */
size_t field_find(const struct field *rows, size_t count, const char *name);

/* All of these are for kinds below FIELD_OTHER only. */

/* The member becomes `initial`; what it held is not freed. */
void field_init(void *object, const struct field *f);

/* Frees what the member owns and makes it NULL. */
void field_destroy(void *object, const struct field *f);

/* -1: no memory. */
int field_copy(void *to, const void *from, const struct field *f);

bool field_equal(const void *a, const void *b, const struct field *f);

/* 0, false, or NULL. */
bool field_is_zero(const void *object, const struct field *f);

#endif
