/*
 * response_headers.h - the head of a streamed response: which of the origin's headers it keeps,
 * and what it adds.
 */
#ifndef ROUTES_RESPONSE_HEADERS_H
#define ROUTES_RESPONSE_HEADERS_H

#include "fastcgi/exchange.h"

/*
 * The response's status and headers become x->head, with facts about the fetch in Curlew-* headers.
 * Hop-by-hop headers are dropped (RFC 9110 section 7.6.1).  For a handoff, so are Set-Cookie and
 * the headers about caching, which are the view's decision, and no facts are added.
 */
void response_headers_write(struct exchange *x);

#endif
