/*
 * match.h - which items of one list are those of another, in n log n steps.
 *
 * Callers choose how many items there are, and their names.  So to compare each with each would be
 * theirs to make slow, and so would a hash table.
 */
#ifndef UTIL_MATCH_H
#define UTIL_MATCH_H

#include <stddef.h>

#define MATCH_NONE ((size_t)-1)

/* As for qsort(). */
typedef int match_compare(const void *a, const void *b);

struct match_list {
    const void *items;
    size_t count, size; /* items; bytes of one */
};

/*
 * found[i] becomes the place in `b` of the first item that is equal to the i-th of `a`; MATCH_NONE:
 * none.  -1: no memory.
 */
int match_first(size_t *found, const struct match_list *a, const struct match_list *b,
                match_compare *compare);

/* The same, but the n-th of equal items in `a` finds the n-th of these in `b`. */
int match_nth(size_t *found, const struct match_list *a, const struct match_list *b,
              match_compare *compare);

#endif
