/*
 * body_pipe.c - a body on its way from a session thread to a reader's thread, with back-pressure.
 */

#include "fetch/body_pipe.h"

#include "engine/engine_worker.h"

#include <stdlib.h>
#include <string.h>

/* A ring: bytes from `start` on, `held` of them, wrapping round. */
struct body_pipe {
    pthread_mutex_t lock;
    body_pipe_notify *notify;
    size_t start, held;
    bool told;  /* a notice is under way */
    bool full;  /* the transfer is paused, and waits to be resumed */
    bool begun; /* the head is published */
    char ring[BODY_PIPE_BYTES];
};

int
body_pipe_open(struct curlew_fetch *f, body_pipe_notify *notify)
{
    struct body_pipe *s = malloc(sizeof *s);

    if (s == NULL)
        return failure_no_memory(&f->failure);
    pthread_mutex_init(&s->lock, NULL);
    s->notify = notify;
    s->start = s->held = 0;
    s->told = s->full = s->begun = false;
    f->pipe = s;
    return 0;
}

void
body_pipe_free(struct body_pipe *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* -- the session thread -------------------------------------------------- */

bool
body_pipe_is_published(const struct curlew_fetch *f)
{
    return f->pipe->begun; /* written on this thread only */
}

static void
tell(struct curlew_fetch *f, bool told_already)
{
    if (!told_already)
        f->pipe->notify(f, f->arg);
}

void
body_pipe_publish_head(struct curlew_fetch *f)
{
    struct body_pipe *s = f->pipe;
    bool told;

    pthread_mutex_lock(&s->lock);
    s->begun = true;
    told = s->told;
    s->told = true;
    pthread_mutex_unlock(&s->lock);
    tell(f, told);
}

static void
copy_in(struct body_pipe *s, const char *bytes, size_t n)
{
    size_t at = (s->start + s->held) % BODY_PIPE_BYTES;
    size_t first = n < BODY_PIPE_BYTES - at ? n : BODY_PIPE_BYTES - at;

    memcpy(s->ring + at, bytes, first);
    memcpy(s->ring, bytes + first, n - first);
    s->held += n;
}

bool
body_pipe_try_write(struct curlew_fetch *f, const char *bytes, size_t n)
{
    struct body_pipe *s = f->pipe;
    bool told, full;

    pthread_mutex_lock(&s->lock);
    s->full = full = n > BODY_PIPE_BYTES - s->held;
    if (!full)
        copy_in(s, bytes, n);
    told = s->told;
    s->told = true;
    pthread_mutex_unlock(&s->lock);
    tell(f, told);
    return !full;
}

/* -- the reader ---------------------------------------------------------- */

void
body_pipe_ack_notify(struct curlew_fetch *f)
{
    pthread_mutex_lock(&f->pipe->lock);
    f->pipe->told = false;
    pthread_mutex_unlock(&f->pipe->lock);
}

bool
body_pipe_has_head(struct curlew_fetch *f)
{
    bool begun;

    pthread_mutex_lock(&f->pipe->lock);
    begun = f->pipe->begun;
    pthread_mutex_unlock(&f->pipe->lock);
    return begun;
}

static size_t
copy_out(struct body_pipe *s, char *to, size_t n)
{
    size_t first;

    n = n < s->held ? n : s->held;
    first = n < BODY_PIPE_BYTES - s->start ? n : BODY_PIPE_BYTES - s->start;
    memcpy(to, s->ring + s->start, first);
    memcpy(to + first, s->ring, n - first);
    s->start = (s->start + n) % BODY_PIPE_BYTES;
    s->held -= n;
    return n;
}

size_t
body_pipe_read(struct curlew_fetch *f, char *to, size_t n)
{
    struct body_pipe *s = f->pipe;
    struct engine_worker *home = f->home; /* NULL: the fetch is done, and nobody is paused */
    bool resume;

    pthread_mutex_lock(&s->lock);
    n = copy_out(s, to, n);
    resume = s->full && s->held <= BODY_PIPE_BYTES / 2;
    if (resume)
        s->full = false;
    pthread_mutex_unlock(&s->lock);
    if (resume && home != NULL)
        engine_worker_resume(home, fetch_ref(f));
    return n;
}
