/*
 * request_merge.h - a request completed from a session's defaults, and a request copied.
 */
#ifndef HTTP_REQUEST_MERGE_H
#define HTTP_REQUEST_MERGE_H

#include "http/request.h"

/*
 * Fill what r leaves open from a session's defaults; headers and cookies of r win by name.  -1 with
 * `err`: no memory.
 */
int request_merge_defaults(struct request *r, const struct request *defaults, struct failure *err);

/* A copy into `to`, which is as request_init() left it.  -1 with `err`: no memory. */
int request_merge_copy(struct request *to, const struct request *from, struct failure *err);

#endif
