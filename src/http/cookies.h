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
    bool deleted;    /* a response has deleted it: told, never sent */
    int64_t expires; /* seconds since 1970; 0: a session cookie */
};

/* Frees its text and leaves it empty. */
void cookies_destroy_one(struct cookie *c);

struct cookies {
    struct cookie *items;
    size_t count;
};

/* Append a copy; -1: no memory. */
int cookies_add(struct cookies *list, const struct cookie *c);

/* Append copies of all of `from`; -1: no memory. */
int cookies_add_all(struct cookies *list, const struct cookies *from);

/* Is there one of this name?  Cookie names are case-sensitive. */
bool cookies_has(const struct cookies *list, const char *name);

/* Leaves it empty and usable. */
void cookies_destroy(struct cookies *c);

#endif
