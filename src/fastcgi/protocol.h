/*
 * protocol.h - what happens on a connection: readiness, timeouts, and who acts on them.
 *
 * Events of the request reader go to the server's handler, and results of the response writer into
 * what the connection waits for.  Everything here runs on the connection's worker thread.
 */
#ifndef FASTCGI_PROTOCOL_H
#define FASTCGI_PROTOCOL_H

#include "fastcgi/fcgi_connection.h"

/* What a connection needs is there, w->spare: one may be accepted.  -1: no memory. */
int protocol_prepare(struct fcgi_worker *w) __attribute__((warn_unused_result));

/* After that, one that was accepted, in a shortage of descriptors or not; takes the fd. */
void protocol_accept(struct fcgi_worker *w, int fd, bool is_surplus);

/* The helper thread has done its work for x. */
void protocol_on_work_ended(struct exchange *x);

/* A fetch of x has ended.  What it adds to the response is written by protocol_write(). */
void protocol_on_fetch_done(struct exchange *x, struct curlew_fetch *f);

/* The stream of x's fetch has something new, or its head. */
void protocol_on_stream_readable(struct exchange *x);

/* The upload of x's fetch has room. */
void protocol_on_upload_room(struct exchange *x);

/* The response is there, or has more: write it. */
void protocol_write(struct fcgi_connection *conn);

/* The server has begun to drain. */
void protocol_drain(struct fcgi_connection *conn);

/* Close; what has been sent of a response must not look complete. */
void protocol_abort(struct fcgi_connection *conn);

#endif
