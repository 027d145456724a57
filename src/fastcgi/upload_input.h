/*
 * upload_input.h - an upload: the request object's line, then the bytes of its body as they come.
 *
 * They go into the pipe of the exchange's fetch.  While that is full the socket isn't read, so that
 * the web server stops, too.  Once no fetch takes them any more, they are dropped.
 */
#ifndef FASTCGI_UPLOAD_INPUT_H
#define FASTCGI_UPLOAD_INPUT_H

#include "fastcgi/fcgi_connection.h"

#define UPLOAD_LINE_BYTES (1 << 20)

/* From the handler on, the body is an upload. */
void upload_input_begin(struct fcgi_connection *conn);

/*
 * Bytes of it have come, or all of it.  true, once: the line is in the exchange's body, or there
 * will be none: upload_input_check_line().
 */
bool upload_input_try_take_line(struct fcgi_connection *conn, bool ended);

/* Why there is no line: -1 with `err`. */
int upload_input_check_line(const struct fcgi_connection *conn, struct failure *err);

/*
 * Pass on what has come; where there is no fetch yet, it waits.  true, once: that was all, and
 * upload_input_end() is to be called.
 */
bool upload_input_try_finish(struct fcgi_connection *conn);

/* The body is whole; or `err` says why it is not. */
void upload_input_end(struct fcgi_connection *conn, const struct failure *err);

/* Was anything passed on, be it the end? */
bool upload_input_has_begun(const struct fcgi_connection *conn);

/* Has it begun, and not come to its end? */
bool upload_input_is_coming(const struct fcgi_connection *conn);

/* Bytes wait for room in the pipe, or for the fetch: no more are to be read. */
bool upload_input_is_blocked(const struct fcgi_connection *conn);

/* No fetch takes them. */
void upload_input_drop(struct fcgi_connection *conn);

/* The web server takes the request back: what has come is no body, and no more of it comes. */
void upload_input_abort(struct fcgi_connection *conn);

#endif
