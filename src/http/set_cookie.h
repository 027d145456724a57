/*
 * set_cookie.h - one Set-Cookie field, as RFC 6265 section 5 and its successor (6265bis) read it.
 *
 * Names and values are bytes: what is no control character passes as it came.
 */
#ifndef HTTP_SET_COOKIE_H
#define HTTP_SET_COOKIE_H

#include "http/cookies.h"

#include <stdbool.h>
#include <stdint.h>

#define SET_COOKIE_BYTES_MAX 8192 /* of name and value together; browsers take 4096 */

enum set_cookie {
    SET_COOKIE_STORE,
    SET_COOKIE_DELETE, /* it has expired already: the cookie of this name, domain and path goes */
    SET_COOKIE_IGNORE, /* the response may not set it, or it is none */
    SET_COOKIE_NO_MEMORY,
};

/* The request whose response has the field. */
struct set_cookie_origin {
    const char *host; /* lower case, international names as punycode, IPv6 without brackets */
    const char *path; /* at least "/", without query */
    bool secure;      /* https */
};

/*
 * Read a field's value into `c`, whose text the caller frees with cookies_destroy_one() where the
 * result is STORE or DELETE.  `now` and c->expires are seconds since 1970; no Expires or Max-Age:
 * 0.
 */
enum set_cookie set_cookie_parse(struct cookie *c, const char *field,
                                 const struct set_cookie_origin *from, int64_t now);

/* A date by the algorithm of RFC 6265 section 5.1.1: seconds since 1970; -1: it is none. */
int64_t set_cookie_parse_date(const char *text, size_t n);

#endif
