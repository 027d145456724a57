/*
 * cookie_line.h - a cookie as libcurl hands it over: a line of the Netscape format.
 *
 * Domain, tail match, path, secure, expires, name and value, with tabs
 * between.  A line taken apart points into its text, which must stay.
 */
#ifndef SESSION_COOKIE_LINE_H
#define SESSION_COOKIE_LINE_H

#include "http/request.h"
#include "util/buffer.h"

#include <curl/curl.h>

enum cookie_field {
    COOKIE_DOMAIN,
    COOKIE_TAIL,
    COOKIE_PATH,
    COOKIE_SECURE,
    COOKIE_EXPIRES,
    COOKIE_NAME,
    COOKIE_VALUE,
    COOKIE_FIELDS
};

struct cookie_line {
    const char *field[COOKIE_FIELDS]; /* not strings: see size */
    size_t size[COOKIE_FIELDS];
    bool http_only;
};

void cookie_line_write(struct buffer *to, const struct cookie *c, const char *host);
void cookie_line_split(struct cookie_line *l, const char *text);

bool cookie_line_is(const struct cookie_line *l, enum cookie_field f, const char *text);

bool cookie_line_near(const struct cookie_line *a, const struct cookie_line *b); /* same domain */

/* Same domain, path and name: the same cookie (RFC 6265 section 5.3, step 11). */
bool cookie_line_same(const struct cookie_line *a, const struct cookie_line *b);
bool cookie_lines_hold(const struct curl_slist *lines, const struct cookie_line *wanted);

/* May this host be sent it at all?  Paths, schemes and addresses are for libcurl to judge. */
bool cookie_line_suits(const struct cookie_line *l, const char *host);

int64_t cookie_line_expires(const struct cookie_line *l);             /* since 1970; 0: none */
int cookie_line_add(struct cookies *to, const struct cookie_line *l); /* -1: no memory */

#endif
