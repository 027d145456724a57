/*
 * upload_request.h - a request whose body follows its request object: an upload.
 */
#ifndef ROUTES_UPLOAD_REQUEST_H
#define ROUTES_UPLOAD_REQUEST_H

#include "fastcgi/exchange.h"

/* Do x's parameters announce one? */
bool upload_request_is_announced(const struct exchange *x);

/*
 * x->fetch->request has been read: the body that follows, if one does, is its body.  -1 with `err`.
 */
int upload_request_open(struct exchange *x, struct failure *err);

#endif
