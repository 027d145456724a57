/*
 * submit.h - from a web server's request to a fetch in flight: read, authorize, submit.
 */
#ifndef ROUTES_SUBMIT_H
#define ROUTES_SUBMIT_H

#include "fastcgi/exchange.h"

/*
 * The request object in x's body, or in its query where the method is GET, becomes x->fetch, in
 * flight; or x gets a problem document as its response.
 */
void submit_fetch(struct exchange *x, const struct exchange_ops *ops);

/* Likewise, and its body will be streamed. */
void submit_stream(struct exchange *x, const struct exchange_ops *ops);

/* x->ops are set, and f->request has been read: f is now in flight; or -1 with f->failure. */
int submit_prepared(struct exchange *x, struct curlew_fetch *f);

#endif
