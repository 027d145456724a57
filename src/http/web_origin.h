/*
 * web_origin.h - the origin of a web page, as a browser's Origin field has it (RFC 6454 section 6).
 *
 * "https://www.example.org" or "http://localhost:8000": a scheme, a host and a port, which is left
 * out where it is the scheme's own.
 */
#ifndef HTTP_WEB_ORIGIN_H
#define HTTP_WEB_ORIGIN_H

#include <stdbool.h>

/* Is it the origin of pages?  "null", which stands for an unknown one, is not. */
bool web_origin_is_valid(const char *text);

/* The same origin?  Two that are not valid are never the same. */
bool web_origin_equal(const char *a, const char *b);

/*
 * Is it that of a server which is asked by the Host field `host`?  `https`: the request is known to
 * have come by TLS, so that the page must have, too.
 */
bool web_origin_is_of_host(const char *origin, const char *host, bool https);

#endif
