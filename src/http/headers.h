/*
 * headers.h - names and values, in order.
 *
 * Their text lies in a few larger blocks: a response's head is some thirty
 * strings that come and go together, and are mostly freed by another thread.
 */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct block;

struct header {
    const char *name;
    const char *value; /* NULL: the default of this name is removed */
};

struct headers {
    struct header *items;
    size_t count;
    struct block *blocks; /* own the text */
};

/* Append a copy; sizes without NUL.  A NULL value stays NULL.  -1: no memory. */
int headers_add(struct headers *p, const char *name, size_t name_size, const char *value,
                size_t value_size);

/* A copy of other text that goes with them: it lives as long.  NULL: no memory. */
char *headers_keep(struct headers *p, const char *text, size_t n);

/* Append copies of all of `from`.  -1: no memory. */
int headers_add_all(struct headers *p, const struct headers *from);

/* First value of this name, in any case; NULL if absent. */
const char *headers_get(const struct headers *p, const char *name);

/* Also true of a name whose value is NULL. */
bool headers_has(const struct headers *p, const char *name);

/* The same names (in any case) and values, in the same order. */
bool headers_equal(const struct headers *a, const struct headers *b);

/* Continue the last value, after a space. */
int headers_extend(struct headers *p, const char *more, size_t n);

/* Leaves it empty and usable. */
void headers_destroy(struct headers *p);

#endif
