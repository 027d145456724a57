/*
 * url.h - which URLs can be fetched, and the origin a URL belongs to.
 *
 * Parsing is libcurl's own (CURLU), so that what is checked here is what is
 * fetched.  Stricter than libcurl in four things: the scheme must be written
 * out and be http or https, port 0 is refused, and so are a URL over 64 KiB and
 * a backslash before the path, where browsers and libcurl see different hosts.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "util/buffer.h"
#include "util/failure.h"

struct url {
    char *text;            /* normalised, without user, password and fragment */
    char *scheme, *host;   /* host lower-cased, IDN names as punycode, IPv6 without brackets */
    char *path;            /* at least "/" */
    char *user, *password; /* or NULL */
    char *origin;          /* "scheme://host:port", the key of pools and limits */
    int port;
};

/* 0; -1: bad_url. */
int url_parse(struct url *u, const char *text, struct failure *err);

/*
 * The URL that `reference`, absolute or relative and percent-encoded where it must be, stands for
 * at `base` (RFC 3986 section 5).  0; -1: bad_url.
 */
int url_resolve(struct url *u, const struct url *base, const char *reference, struct failure *err);

void url_destroy(struct url *u);

/*
 * The host of a proxy's URL (http, https, socks5 or socks5h); the caller frees.  NULL with
 * `err`.
 */
char *url_proxy_host(const char *proxy, struct failure *err);

/*
 * Append name=value to the query in `text`, percent-encoded as a form does but with %20 for a
 * space.
 */
void url_add_param(struct buffer *text, const char *name, const char *value);

/* Percent-encode all but RFC 3986's unreserved characters. */
void url_encode(struct buffer *to, const char *bytes, size_t n);

#endif
