/*
 * netscape_cookie.h - a cookie as libcurl hands it over: a line of the Netscape format.
 *
 * Domain, tail match, path, secure, expires, name and value, with tabs
 * between.  A line taken apart points into its text, which must stay.
 */
#ifndef SESSION_NETSCAPE_COOKIE_H
#define SESSION_NETSCAPE_COOKIE_H

#include "http/request.h"
#include "util/buffer.h"

#include <curl/curl.h>

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
    const char *field[COOKIE_FIELDS]; /* not strings: see size */
    size_t size[COOKIE_FIELDS];
    bool http_only;
};

void netscape_cookie_write(struct buffer *to, const struct cookie *c, const char *host);
void netscape_cookie_parse(struct netscape_cookie *l, const char *text);

bool netscape_cookie_field_equals(const struct netscape_cookie *l, enum netscape_field f,
                                  const char *text);

/* Same domain. */
bool netscape_cookie_same_domain(const struct netscape_cookie *a, const struct netscape_cookie *b);

/* Same domain, path and name: the same cookie (RFC 6265 section 5.3, step 11). */
bool netscape_cookie_same(const struct netscape_cookie *a, const struct netscape_cookie *b);
bool netscape_cookie_list_has(const struct curl_slist *lines, const struct netscape_cookie *wanted);

/* May this host be sent it at all?  Paths, schemes and addresses are for libcurl to judge. */
bool netscape_cookie_matches_host(const struct netscape_cookie *l, const char *host);

/* Since 1970; 0: none. */
int64_t netscape_cookie_expires(const struct netscape_cookie *l);

/* -1: no memory. */
int netscape_cookie_append(struct cookies *to, const struct netscape_cookie *l);

#endif
