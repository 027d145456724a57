/*
 * submit.h - from a web server's request to a fetch in flight: read, check who asks, submit.
 */
#ifndef ROUTES_SUBMIT_H
#define ROUTES_SUBMIT_H

#include "fastcgi/exchange.h"

/*
 * The request object in x's body, or in its query where the method is GET, becomes x->fetch, in
 * flight.  0; or -1, and x is answered with a problem.
 */
int submit_fetch(struct exchange *x);

/* Likewise, and its body will be streamed. */
int submit_stream(struct exchange *x);

/* A fetch whose request has been read is now in flight for x; or -1 with f->failure. */
int submit_prepared(struct exchange *x, struct curlew_fetch *f);

#endif
