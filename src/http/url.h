/*
 * url.h - which URLs can be fetched, and the origin a URL belongs to.
 *
 * Parsing is libcurl's own (CURLU), so that what is checked here is what is
 * fetched, but for plain_url.h.  Stricter than libcurl in four things: the scheme must be written
 * out and be http or https, port 0 is refused, and so are a URL over 64 KiB and
 * a backslash before the path, where browsers and libcurl see different hosts.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "http/url_parts.h"
#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

/* 0; -1: bad_url. */
int url_parse(struct url *u, const char *text, struct failure *err);

/* The same by libcurl's parser alone, as tests compare the two. */
int url_parse_by_libcurl(struct url *u, const char *text, struct failure *err);

/*
 * The URL that `reference`, absolute or relative and percent-encoded where it must be, stands for
 * at `base` (RFC 3986 section 5).  0; -1: bad_url.
 */
int url_resolve(struct url *u, const struct url *base, const char *reference, struct failure *err);

void url_destroy(struct url *u);

/* In error messages. */
#define URL_PROXY_SCHEMES "http, https, socks4, socks4a, socks5 or socks5h"

/* Does a proxy's URL begin with one of these schemes and "://"? */
bool url_has_proxy_scheme(const char *proxy);

/*
 * The host of a proxy's URL; the caller frees.  `*port`: its port, or the usual one.  NULL with
 * `err`.
 */
char *url_proxy_host(const char *proxy, int *port, struct failure *err);

/*
 * User and password of a proxy's URL, percent-encoded as they stand in it: what is before the "@"
 * of its authority (RFC 3986 section 3.2.1).  bytes is NULL: it has none.
 */
struct url_piece url_proxy_userinfo(const char *proxy);

/* The port of a proxy whose URL names none. */
int url_proxy_usual_port(const char *proxy);

/*
 * The proxy's URL as libcurl gets it; the caller frees.  socks4 and socks5 become socks4a and
 * socks5h: libcurl would resolve the target here and tell the proxy an address that the egress
 * guard never sees.  NULL: no memory.
 */
char *url_proxy_for_libcurl(const char *proxy);

/*
 * Append name=value to the query in `text`, percent-encoded as a form does but with %20 for a
 * space.
 */
void url_add_param(struct buffer *text, const char *name, const char *value);

/* The same where one was added last: the query need not be looked for again. */
void url_add_next_param(struct buffer *text, const char *name, const char *value);

/* Percent-encode all but RFC 3986's unreserved characters. */
void url_encode(struct buffer *to, const char *bytes, size_t n);

#endif
