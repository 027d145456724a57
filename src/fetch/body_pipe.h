/*
 * body_pipe.h - a body on its way from a session thread to a reader's thread, with back-pressure.
 *
 * Holds at most BODY_PIPE_BYTES.  While it is full the transfer is paused, so
 * libcurl stops reading from the origin; once the reader has taken half, the
 * transfer goes on.  The reader is told by a notice, a mail with the fetch's
 * `notice` in it, that there is something new: the head, or bytes.  At most
 * one notice is under way, and none after the fetch is done.
 */
#ifndef FETCH_BODY_PIPE_H
#define FETCH_BODY_PIPE_H

#include "fetch/fetch.h"

#define BODY_PIPE_BYTES 65536

/* Called on the session thread, to send f->notice to the reader. */
typedef void body_pipe_notify(struct curlew_fetch *f, void *arg);

/* Before the fetch is submitted: its body will be streamed.  -1: no memory. */
int body_pipe_open(struct curlew_fetch *f, body_pipe_notify *notify);
void body_pipe_free(struct body_pipe *s);

/* The session thread's side. */

/* The head has been published. */
bool body_pipe_is_published(const struct curlew_fetch *f);

/* f->response.head is the reader's from here on. */
void body_pipe_publish_head(struct curlew_fetch *f);

/* false: full, pause and put again. */
bool body_pipe_try_write(struct curlew_fetch *f, const char *bytes, size_t n);

/* The reader's side. */

/* First of all, when a notice has come. */
void body_pipe_ack_notify(struct curlew_fetch *f);

bool body_pipe_has_head(struct curlew_fetch *f);

/* 0: nothing there now. */
size_t body_pipe_read(struct curlew_fetch *f, char *to, size_t n);

#endif
