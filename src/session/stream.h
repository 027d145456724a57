/*
 * stream.h - a body on its way from a session thread to a reader's thread, with back-pressure.
 *
 * Holds at most STREAM_BYTES.  While it is full the transfer is paused, so
 * libcurl stops reading from the origin; once the reader has taken half, the
 * transfer goes on.  The reader is told by a notice, a mail with the fetch's
 * `notice` in it, that there is something new: the head, or bytes.  At most
 * one notice is under way, and none after the fetch is done.
 */
#ifndef SESSION_STREAM_H
#define SESSION_STREAM_H

#include "session/fetch.h"

#define STREAM_BYTES 65536

/* Called on the session thread, to send f->notice to the reader. */
typedef void stream_notify(struct curlew_fetch *f, void *arg);

/* Before the fetch is submitted: its body will be streamed.  -1: no memory. */
int stream_open(struct curlew_fetch *f, stream_notify *notify);
void stream_free(struct stream *s);

/* The session thread's side. */
bool stream_begun(const struct curlew_fetch *f); /* the head has been published */
void
stream_publish_head(struct curlew_fetch *f); /* f->response.head is the reader's from here on */
bool stream_put(struct curlew_fetch *f, const char *bytes,
                size_t n); /* false: full, pause and put again */

/* The reader's side. */
void stream_noticed(struct curlew_fetch *f); /* first of all, when a notice has come */
bool stream_has_head(struct curlew_fetch *f);
size_t stream_take(struct curlew_fetch *f, char *to, size_t n); /* 0: nothing there now */

#endif
