/*
 * request_json.h - JSON to a request: every key of the request object.
 *
 * Beyond the contract's table:
 * - `params` and `form` take text, numbers, true and false as values, written as JSON writes them
 *   (1, 1.5, true), or a list of these, which repeats the name; null is refused.
 * - `headers` takes text, or null to remove a session's header; a list of pairs repeats a name.
 * - A number as `timeout` is the total.  Every timeout is above 0 and at most 86400 seconds.
 * - `tag` has at most 4096 bytes, as it goes into the log.
 * - Text that becomes part of a URL, a header, a cookie or a log line holds no NUL; bodies may.
 * - An integer outside 64 bits is refused, also inside `json`.
 */
#ifndef MESSAGE_REQUEST_JSON_H
#define MESSAGE_REQUEST_JSON_H

#include "message/request_context.h"

/*
 * Read a request object into r (initialised by the caller, who destroys it either way).  0, or -1
 * with `err`: an unknown key, a wrong type or range is bad_request and names the key; a key of a
 * feature this build lacks is unsupported.  The URL's syntax is checked later, by url_parse().
 */
int request_json_read(struct request *r, const json_t *object, struct failure *err);
int request_json_parse(struct request *r, const char *text, size_t size, struct failure *err);

/*
 * The key that at->name gives, as one of a session's defaults; -1 also for url, session, bodies and
 * params.  1: not a request key, and `err` untouched.
 */
int request_json_read_default(struct request *r, const struct json_path *at, const json_t *value,
                              struct failure *err);

/* The key of this name, as it stands in a request object; KEY_COUNT: none. */
enum request_key request_json_find(const char *name);

int request_json_read_key(struct request_context *rd, enum request_key key,
                          const struct json_path *at, const json_t *value);

/* After the last key: url is there, params go into it. */
int request_json_finish(struct request_context *rd);

/* Is there a reader for the key?  For the test that no row of the table lacks one. */
bool request_json_can_read(enum request_key key);

#endif
