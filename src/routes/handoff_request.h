/*
 * handoff_request.h - a request that a view hands to the web server: a handoff.
 *
 * The web server puts the view's request object into the FastCGI parameter CURLEW_REQUEST, which no
 * client can set.  Whatever the path, the response is then that of …/v1/stream for this object.  Of
 * the browser's request only the headers are used that the object's forward_headers names.
 */
#ifndef ROUTES_HANDOFF_REQUEST_H
#define ROUTES_HANDOFF_REQUEST_H

#include "fastcgi/exchange.h"

/* CURLEW_REQUEST is set and not empty. */
bool handoff_request_is_present(const struct exchange *x);

/*
 * The object, or what the handoff store holds for its "@reference", becomes x->body, since nobody
 * reads the browser's.  Where tokens are configured, only a reference counts.  -1 with `err`.
 */
int handoff_request_load(struct exchange *x, struct failure *err);

/*
 * Reads that object into r, and adds the headers to forward.  The token that made the reference
 * must still allow the session.  -1 with `err`.
 */
int handoff_request_read(const struct exchange *x, struct request *r, struct failure *err);

#endif
