/*
 * handoff_request.h - a fetch that a view asked for and the web server streams to the browser.
 *
 * The web server puts the view's request object into the FastCGI parameter
 * CURLEW_REQUEST, which no client can set.  Whatever the request's path, it is
 * then served as …/v1/stream with that object, and takes nothing else from the
 * browser's request but the headers that the object's forward_headers names.
 */
#ifndef ROUTES_HANDOFF_REQUEST_H
#define ROUTES_HANDOFF_REQUEST_H

#include "fastcgi/exchange.h"

/* CURLEW_REQUEST is there, and not empty. */
bool handoff_request_is_present(const struct exchange *x);

/*
 * The object, or what the handoff_store holds for its "@reference", into r, with the headers it
 * forwards.
 */
int handoff_request_read(struct exchange *x, struct request *r, struct failure *err);

#endif
