/*
 * pairs.h - names and values, in order.
 *
 * Their text lies in a few larger blocks: a response's head is some thirty
 * strings that come and go together, and are mostly freed by another thread.
 */
#ifndef SESSION_PAIRS_H
#define SESSION_PAIRS_H

#include <stddef.h>

struct block;

struct pair {
    const char *name;
    const char *value; /* NULL: the default of this name is removed */
};

struct pairs {
    struct pair *items;
    size_t count;
    struct block *blocks; /* own the text */
};

/* Append a copy; sizes without NUL.  A NULL value stays NULL.  -1: no memory. */
int pairs_add(struct pairs *p, const char *name, size_t name_size, const char *value,
              size_t value_size);
int pairs_extend(struct pairs *p, const char *more,
                 size_t n);          /* the last value goes on, after a blank */
void pairs_destroy(struct pairs *p); /* leaves it empty and usable */

#endif
