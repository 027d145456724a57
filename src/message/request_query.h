/*
 * request_query.h - a request from a query string, for trying out.
 */
#ifndef MESSAGE_REQUEST_QUERY_H
#define MESSAGE_REQUEST_QUERY_H

#include "http/request.h"

/*
 * `url` and the keys that are plain values (percent-decoded, + is a space).  Empty segments are
 * skipped; NULL is an empty query.  0, or -1 with `err` as request_json_read().
 */
int request_query_read(struct request *r, const char *query, struct failure *err);

#endif
