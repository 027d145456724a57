/*
 * body_pipe.h - a response body on its way from an engine thread to its reader's thread.
 *
 * Holds at most BODY_PIPE_BYTES, which are on the account of bodies: that is the backpressure.
 * While the pipe is full the transfer is paused, so libcurl stops reading from the origin; once the
 * reader has taken half of it, `resume` lets the transfer go on.  `notify` tells the reader that
 * there is something new: the head, or bytes.  At most one notification is under way, and none
 * after the fetch is done.
 *
 * The pipe knows no thread and no mailbox; both callbacks are given to it.
 */
#ifndef FETCH_BODY_PIPE_H
#define FETCH_BODY_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#define BODY_PIPE_BYTES 65536

struct body_account;
struct body_pipe;
struct curlew_fetch;

/* Called on the engine thread. `arg` is the one that body_pipe_new() was given. */
typedef void body_pipe_notify(struct curlew_fetch *f, void *arg);

/* Called on the reader's thread. */
typedef void body_pipe_resume(struct curlew_fetch *f);

/* For the body of f, which owns it and hands both ends on. NULL: no memory. */
struct body_pipe *body_pipe_new(struct curlew_fetch *f, body_pipe_notify *notify, void *arg);

/* NULL is allowed. */
void body_pipe_free(struct body_pipe *p);

/* Before the transfer begins; the bytes that the pipe holds are added to the account. */
void body_pipe_attach(struct body_pipe *p, body_pipe_resume *resume, struct body_account *account);

/* Was the head published?  For both threads. */
bool body_pipe_has_head(const struct body_pipe *p);

/* -- the engine thread's end -- */

/* From here on the response's head belongs to the reader. */
void body_pipe_publish_head(struct body_pipe *p);

/* false: the pipe is full. Pause, and write the same bytes again once resumed. */
bool body_pipe_try_write(struct body_pipe *p, const char *bytes, size_t n);

/* -- the reader's end -- */

/* First, whenever a notification has come. */
void body_pipe_ack_notify(struct body_pipe *p);

/*
 * At most n bytes that are next, where they lie, and how many those are; 0: none are there now.
 * They may be fewer than the pipe holds.  They stay until they are consumed.
 */
size_t body_pipe_peek(struct body_pipe *p, const char **bytes, size_t n);

/* n of the bytes that were last seen have been read. */
void body_pipe_consume(struct body_pipe *p, size_t n);

#endif
