/*
 * hop_cookies.h - the cookies of one fetch, from hop to hop.
 *
 * The fetch has one list: those of the session's jar, the request's own, and what responses set on
 * the way.  The Cookie field of each hop is written from it by RFC 6265, not by libcurl's engine,
 * which orders it by the length of names and cuts it at 8 KB.
 *
 * Whose cookies they are: the URL's host, or, as long as the fetch stays at its first origin, the
 * host that the request's Host field names.
 */
#ifndef TRANSFER_HOP_COOKIES_H
#define TRANSFER_HOP_COOKIES_H

#include "fetch/fetch.h"

/*
 * Of one Cookie field, with what the request's headers add.  Measured with libcurl 8.14: over
 * HTTP/1.1 it sends 400 KB whole, beside a URL of 8,100 bytes; over HTTP/2, where nghttp2 takes 64
 * KiB for the whole head, 55 KB beside that URL, and not 60.
 */
#define HOP_COOKIES_FIELD_MAX 49152

/* Before a hop.  0; -1 with f->failure: the field is too long, or no memory. */
int hop_cookies_send(struct curlew_fetch *f);

/*
 * After a head that is not provisional: take over what its Set-Cookie fields say.  Where libcurl
 * answers a challenge itself, the next request of the hop has the new cookies.  -1 with f->failure.
 */
int hop_cookies_receive(struct curlew_fetch *f);

/* At the end of the fetch: what responses have set goes into the session's jar.  -1: f->failure. */
int hop_cookies_store(struct curlew_fetch *f);

/* Then: the fetch's own list goes. */
void hop_cookies_finish(struct curlew_fetch *f);

#endif
