/*
 * cookies.h - a list of cookies, as a request brings them and as a response leaves them.
 *
 * The list owns all text in it.
 */
#ifndef HTTP_COOKIES_H
#define HTTP_COOKIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in RFC 6265 section 5.3.  Names and values are bytes, not always UTF-8. */
struct cookie {
    char *name, *value;
    char *domain;   /* without a leading dot; NULL: the host of the request it came with */
    char *path;     /* NULL: "/" */
    bool host_only; /* for the domain itself, not for hosts below it */
    bool secure, http_only;
    bool deleted;    /* a response has deleted it: reported, never sent; its value is "" */
    bool lent;       /* the session's jar has one of this name, domain and path */
    bool renewed;    /* set after it was deleted: younger than what was set meanwhile */
    bool bound;      /* the session's configuration has it: for the session's hosts only */
    int64_t expires; /* seconds since 1970; 0: a session cookie */
};

struct cookies {
    struct cookie *items;
    size_t count;
};

/* Frees its text and leaves it empty. */
void cookies_destroy_one(struct cookie *c);

/* *to, which must own nothing yet, becomes a copy.  -1: no memory; to be destroyed as well. */
int cookies_copy_one(struct cookie *to, const struct cookie *from);

/*
 * Are they one cookie: the same name, domain and path, and both or neither for the host alone
 * (RFC 6265 section 5.3, step 11; 6265bis)?
 */
bool cookies_same(const struct cookie *a, const struct cookie *b);

/* For qsort(): two of struct cookie, in an order in which those that are the same are equal. */
int cookies_compare(const void *a, const void *b);

/* The one of the list that is the same cookie as `c`; NULL: none. */
struct cookie *cookies_find(const struct cookies *list, const struct cookie *c);

/*
 * A copy of `c` takes the place of the same cookie, or comes last: also where the same one is
 * deleted, and this one is renewed.  -1: no memory.
 */
int cookies_put(struct cookies *list, const struct cookie *c);

/*
 * cookies_put() of each in turn, in n log n steps.  One that takes the place of another keeps its
 * `lent`.  -1: no memory, and the list is as it was.
 */
int cookies_put_all(struct cookies *list, const struct cookies *from);

/* Append a copy; -1: no memory. */
int cookies_add(struct cookies *list, const struct cookie *c);

/* Append copies of all of `from`; -1: no memory. */
int cookies_add_all(struct cookies *list, const struct cookies *from);

/* Is there one of this name?  Cookie names are case-sensitive. */
bool cookies_has(const struct cookies *list, const char *name);

/* Leaves it empty and usable. */
void cookies_destroy(struct cookies *c);

#endif
