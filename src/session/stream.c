/* stream.c - a body on its way from a session thread to a reader's thread, with back-pressure. */

#include "session/stream.h"

#include "session/multi.h"

#include <stdlib.h>
#include <string.h>

/* A ring: bytes from `start` on, `held` of them, wrapping round. */
struct stream {
    pthread_mutex_t lock;
    stream_notify *notify;
    size_t start, held;
    bool told;  /* a notice is under way */
    bool full;  /* the transfer is paused, and waits to be resumed */
    bool begun; /* the head is published */
    char ring[STREAM_BYTES];
};

int
stream_open(struct curlew_fetch *f, stream_notify *notify)
{
    struct stream *s = malloc(sizeof *s);

    if (s == NULL)
        return failure_no_memory(&f->failure);
    pthread_mutex_init(&s->lock, NULL);
    s->notify = notify;
    s->start = s->held = 0;
    s->told = s->full = s->begun = false;
    f->stream = s;
    return 0;
}

void
stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* -- the session thread -------------------------------------------------- */

bool
stream_begun(const struct curlew_fetch *f)
{
    return f->stream->begun; /* written on this thread only */
}

static void
tell(struct curlew_fetch *f, bool told_already)
{
    if (!told_already)
        f->stream->notify(f, f->arg);
}

void
stream_publish_head(struct curlew_fetch *f)
{
    struct stream *s = f->stream;
    bool told;

    pthread_mutex_lock(&s->lock);
    s->begun = true;
    told = s->told;
    s->told = true;
    pthread_mutex_unlock(&s->lock);
    tell(f, told);
}

static void
copy_in(struct stream *s, const char *bytes, size_t n)
{
    size_t at = (s->start + s->held) % STREAM_BYTES;
    size_t first = n < STREAM_BYTES - at ? n : STREAM_BYTES - at;

    memcpy(s->ring + at, bytes, first);
    memcpy(s->ring, bytes + first, n - first);
    s->held += n;
}

bool
stream_put(struct curlew_fetch *f, const char *bytes, size_t n)
{
    struct stream *s = f->stream;
    bool told, full;

    pthread_mutex_lock(&s->lock);
    s->full = full = n > STREAM_BYTES - s->held;
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
stream_noticed(struct curlew_fetch *f)
{
    pthread_mutex_lock(&f->stream->lock);
    f->stream->told = false;
    pthread_mutex_unlock(&f->stream->lock);
}

bool
stream_has_head(struct curlew_fetch *f)
{
    bool begun;

    pthread_mutex_lock(&f->stream->lock);
    begun = f->stream->begun;
    pthread_mutex_unlock(&f->stream->lock);
    return begun;
}

static size_t
copy_out(struct stream *s, char *to, size_t n)
{
    size_t first;

    n = n < s->held ? n : s->held;
    first = n < STREAM_BYTES - s->start ? n : STREAM_BYTES - s->start;
    memcpy(to, s->ring + s->start, first);
    memcpy(to + first, s->ring, n - first);
    s->start = (s->start + n) % STREAM_BYTES;
    s->held -= n;
    return n;
}

size_t
stream_take(struct curlew_fetch *f, char *to, size_t n)
{
    struct stream *s = f->stream;
    struct multi *home = f->home; /* NULL: the fetch is done, and nobody is paused */
    bool resume;

    pthread_mutex_lock(&s->lock);
    n = copy_out(s, to, n);
    resume = s->full && s->held <= STREAM_BYTES / 2;
    if (resume)
        s->full = false;
    pthread_mutex_unlock(&s->lock);
    if (resume && home != NULL)
        multi_resume(home, fetch_ref(f));
    return n;
}
