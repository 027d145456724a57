/*
 * array.h - an array that grows item by item, its room rounded up to powers of two.
 */
#ifndef UTIL_ARRAY_H
#define UTIL_ARRAY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A new, zeroed item at the end; NULL: no memory, and the array is as it was. */
static inline void *
array_grow(void **items, size_t *count, size_t item_size)
{
    void *p = *items;
    size_t n = *count;

    if ((n & (n - 1)) == 0) {
        if ((p = realloc(*items, (n == 0 ? 1 : 2 * n) * item_size)) == NULL)
            return NULL;
        *items = p;
    }
    (*count)++;
    return memset((char *)p + n * item_size, 0, item_size);
}

/* After an item was removed: at a power of two the room that is free is given back. */
static inline void
array_shrink(void **items, size_t count, size_t item_size)
{
    void *p;

    if (count == 0) {
        free(*items);
        *items = NULL;
    } else if ((count & (count - 1)) == 0 && (p = realloc(*items, count * item_size)) != NULL) {
        *items = p;
    }
}

#endif
