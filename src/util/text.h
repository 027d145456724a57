/*
 * text.h - strings that their struct owns: copied, and compared, where NULL is "none".
 */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* *to, which must own nothing yet, becomes a copy; NULL stays NULL.  -1: no memory. */
static inline int
text_copy(char **to, const char *from)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from != NULL && *to == NULL ? -1 : 0;
}

/* The same, but that *to may own a string, which is freed once the copy is made. */
static inline int
text_replace(char **to, const char *from)
{
    char *old = *to;

    if (text_copy(to, from) != 0) {
        *to = old;
        return -1;
    }
    free(old);
    return 0;
}

/* With its NUL; 0 of NULL. */
static inline size_t
text_bytes(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static inline bool
text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

#endif
