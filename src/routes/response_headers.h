/*
 * response_headers.h - which of an origin's headers pass through a stream, and what is said about
 * the fetch.
 */
#ifndef ROUTES_RESPONSE_HEADERS_H
#define ROUTES_RESPONSE_HEADERS_H

#include "fastcgi/exchange.h"

/*
 * The response's status and headers become x->head, with facts about the fetch in Curlew-* headers.
 * Hop-by-hop ones stay behind (RFC 9110 section 7.6.1).  For a hand-off, so do Set-Cookie, what
 * says how to cache, which is the view's to say, and the facts.
 */
void response_headers_write(struct exchange *x);

#endif
