/*
 * upload_pipe.h - a request's body on its way from its caller's thread to an engine thread.
 *
 * Holds at most UPLOAD_PIPE_BYTES: that is the backpressure.  While the pipe is full its writer
 * stops; once the transfer has taken half of it, `on_room` tells the writer to go on.  While it is
 * empty the transfer is paused, and `on_bytes` lets it go on.  At most one call of each is under
 * way until it is acknowledged, and no `on_room` comes after the fetch is done.
 *
 * What was read stays in the pipe until its room is needed.  So a body of up to UPLOAD_PIPE_BYTES
 * can be sent again, for a redirect or a retry, and of a longer one what has come so far can,
 * until then.
 *
 * A body of a known length never looks whole before its end was told: its last byte waits for that.
 */
#ifndef FETCH_UPLOAD_PIPE_H
#define FETCH_UPLOAD_PIPE_H

#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLOAD_PIPE_BYTES     (256 * 1024)
#define UPLOAD_UNKNOWN_LENGTH (-1)

struct curlew_fetch;
struct upload_pipe;

/* What the body may be. */
struct upload_size {
    int64_t length; /* that was announced; or UPLOAD_UNKNOWN_LENGTH */
    int64_t max;    /* limits.upload_bytes; 0: no limit */
};

/* Called on the engine thread. `arg` is the one that upload_pipe_new() was given. */
typedef void upload_pipe_on_room(struct curlew_fetch *f, void *arg);

/* Called on the writer's thread. */
typedef void upload_pipe_on_bytes(struct curlew_fetch *f);

enum upload_read { UPLOAD_BYTES, UPLOAD_EMPTY, UPLOAD_END, UPLOAD_FAILED };

/* For the body of f, which owns it. NULL: no memory. */
struct upload_pipe *upload_pipe_new(struct curlew_fetch *f, const struct upload_size *size,
                                    upload_pipe_on_room *on_room, void *arg);

/* NULL is allowed. */
void upload_pipe_free(struct upload_pipe *p);

/* Before the fetch is sent to its engine thread. */
void upload_pipe_attach(struct upload_pipe *p, upload_pipe_on_bytes *on_bytes);

/* What it takes of memory. */
size_t upload_pipe_size(const struct upload_pipe *p);

int64_t upload_pipe_length(const struct upload_pipe *p);

/* -- the writer's end -- */

/*
 * How many of the bytes were taken; fewer than n: the pipe is full.  All of them are where nobody
 * wants them any more, or they are too many, which is a failure of the fetch.
 */
size_t upload_pipe_write(struct upload_pipe *p, const char *bytes, size_t n);

/* All of the body was written: too few bytes are a failure. */
void upload_pipe_end(struct upload_pipe *p);

/* The body will not become whole: so the fetch fails. */
void upload_pipe_fail(struct upload_pipe *p, const struct failure *why);

/* First, whenever on_room has called. */
void upload_pipe_ack_room(struct upload_pipe *p);

/* -- the engine thread's end -- */

/* *got bytes with UPLOAD_BYTES; after UPLOAD_EMPTY, on_bytes will call. */
enum upload_read upload_pipe_read(struct upload_pipe *p, char *to, size_t n, size_t *got);

/* First, whenever on_bytes has called.  true: the transfer is paused, and is to go on. */
bool upload_pipe_try_wake(struct upload_pipe *p);

/* 0; or -1 with `err`, which the writer has set. */
int upload_pipe_check(struct upload_pipe *p, struct failure *err);

/* Does the transfer wait for the caller? */
bool upload_pipe_is_starved(const struct upload_pipe *p);

/* How many bytes were read since the body began. */
int64_t upload_pipe_bytes_read(struct upload_pipe *p);

/*
 * The body will be sent again: from here on all of it is kept, and the writer stops when the pipe
 * is full.  false: its beginning is gone.
 */
bool upload_pipe_try_hold(struct upload_pipe *p);

/* It won't be sent again after all. */
void upload_pipe_release(struct upload_pipe *p);

/* Read it from its beginning, and release it.  -1: the beginning is gone. */
int upload_pipe_rewind(struct upload_pipe *p);

/* Nobody reads it any more: what comes is counted, and dropped. */
void upload_pipe_discard(struct upload_pipe *p);

#endif
