/*
 * message/request_keys.h - JSON to a request: every key of the request object.
 *
 * Beyond the contract's table:
 * - `params` and `form` take text, numbers, true and false as values, written as JSON writes them
 *   (1, 1.5, true), or a list of these, which repeats the name; null is refused.
 * - `headers` takes text, or null to remove a session's header; a list of pairs repeats a name.
 * - A number as `timeout` is the total.  Every time-out is above 0 and at most 86400 seconds.
 * - `tag` has at most 4096 bytes, as it goes into the log.
 * - Text that becomes part of a URL, a header, a cookie or a log line holds no NUL; bodies may.
 * - An integer outside 64 bits is refused, also inside `json`.
 */
#ifndef MESSAGE_REQUEST_KEYS_H
#define MESSAGE_REQUEST_KEYS_H

#include "http/request.h"
#include "message/json.h"

/*
 * Read a request object into r (initialised by the caller, who destroys it either way).  0, or -1
 * with `err`: an unknown key, a wrong type or range is bad_request and names the key; a key of a
 * feature this build lacks is unsupported.  The URL's syntax is judged later, by url_parse().
 */
int request_from_json(struct request *r, const json_t *object, struct failure *err);
int request_from_text(struct request *r, const char *text, size_t size, struct failure *err);

/*
 * The same from a query string: `url` and the keys that are plain values (percent-decoded, + is a
 * space).  Empty segments are skipped; NULL is an empty query.
 */
int request_from_query(struct request *r, const char *query, struct failure *err);

/*
 * One key of a session's defaults; -1 also for url, session, bodies and params.  1: not a request
 * key, and `err` untouched.
 */
int request_default_from_json(struct request *r, const char *key, const json_t *value,
                              struct failure *err);

/* The i-th key of the request object; NULL past the last.  For the check against the documents. */
const char *request_key_name(size_t i);

#endif
