/*
 * message/request.h - JSON to a request: every key of the request object.
 */
#ifndef MESSAGE_REQUEST_H
#define MESSAGE_REQUEST_H

#include "message/json.h"
#include "session/request.h"

/*
 * Read a request object into r (initialised by the caller, who destroys it either way).  0, or -1
 * with `why`: an unknown key, a wrong type or range is bad_request and names the key; a key of a
 * feature this build lacks is unsupported.  The URL's syntax is judged later, by url_parse().
 */
int request_from_json(struct request *r, const json_t *object, struct failure *why);
int request_from_text(struct request *r, const char *text, size_t size, struct failure *why);

/* The same from a query string: `url` and the keys that are plain values (percent-decoded, + is a space). */
int request_from_query(struct request *r, const char *query, struct failure *why);

/* One key of a session's defaults; -1 also for url, body, params and their kin.  1: not a request key. */
int request_default_from_json(struct request *r, const char *key, const json_t *value,
                              struct failure *why);

#endif
