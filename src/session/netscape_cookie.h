/*
 * netscape_cookie.h - a cookie as one line of the Netscape format, which libcurl reads and writes.
 *
 * Domain, tail match, path, secure, expires, name and value, separated by tabs.  A parsed line
 * points into its text, which must stay.
 */
#ifndef SESSION_NETSCAPE_COOKIE_H
#define SESSION_NETSCAPE_COOKIE_H

#include "http/request.h"
#include "util/buffer.h"

enum netscape_field {
    COOKIE_DOMAIN,
    COOKIE_TAIL,
    COOKIE_PATH,
    COOKIE_SECURE,
    COOKIE_EXPIRES,
    COOKIE_NAME,
    COOKIE_VALUE,
    COOKIE_FIELDS
};

struct netscape_cookie {
    const char *field[COOKIE_FIELDS]; /* not terminated: see size */
    size_t size[COOKIE_FIELDS];
    bool http_only;
};

/* Append the cookie's line; `host` is its domain if it names none. */
void netscape_cookie_write(struct buffer *to, const struct cookie *c, const char *host);

/* Never fails: fields that the line lacks are empty. */
void netscape_cookie_parse(struct netscape_cookie *l, const char *text);

bool netscape_cookie_field_equals(const struct netscape_cookie *l, enum netscape_field f,
                                  const char *text);

bool netscape_cookie_same_domain(const struct netscape_cookie *a, const struct netscape_cookie *b);

/* The same domain, path and name: the same cookie (RFC 6265 section 5.3, step 11). */
bool netscape_cookie_same(const struct netscape_cookie *a, const struct netscape_cookie *b);

/* The same cookie as the one of this line. */
bool netscape_cookie_same_as_line(const struct netscape_cookie *a, const char *line);

/* Whether its domain is this host's. libcurl checks the rest: path, scheme, IP addresses. */
bool netscape_cookie_matches_host(const struct netscape_cookie *l, const char *host);

/* Seconds since 1970; 0: a session cookie, which does not expire. */
int64_t netscape_cookie_expires(const struct netscape_cookie *l);

/* Add a copy of the cookie to the list.  -1: no memory. */
int netscape_cookie_append(struct cookies *to, const struct netscape_cookie *l);

#endif
