/* body_pipe.c - a response body on its way from an engine thread to its reader's thread. */

#include "fetch/body_pipe.h"

#include "session/body_account.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * A ring: `held` bytes from `start` on, wrapping round.  The bytes are copied without the lock, as
 * only the reader's end takes from them, and only the writer's adds behind them.
 */
struct body_pipe {
    struct curlew_fetch *fetch;
    body_pipe_notify *notify;
    void *arg;
    body_pipe_resume *resume;
    struct body_account *account; /* NULL: not attached */
    pthread_mutex_t lock;
    size_t start, held;
    bool notified; /* a notification is under way */
    bool full;     /* the transfer is paused, and waits to be resumed */
    atomic_bool has_head;
    char ring[BODY_PIPE_BYTES];
};

struct body_pipe *
body_pipe_new(struct curlew_fetch *f, body_pipe_notify *notify, void *arg)
{
    struct body_pipe *p = malloc(sizeof *p);

    if (p == NULL)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->fetch = f;
    p->notify = notify;
    p->arg = arg;
    p->resume = NULL;
    p->account = NULL;
    p->start = p->held = 0;
    p->notified = p->full = false;
    p->has_head = false;
    return p;
}

void
body_pipe_free(struct body_pipe *p)
{
    if (p == NULL)
        return;
    body_pipe_attach(p, NULL, NULL);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void
body_pipe_attach(struct body_pipe *p, body_pipe_resume *resume, struct body_account *account)
{
    if (p->account != NULL)
        body_account_subtract(p->account, (int64_t)p->held);
    body_account_unref(p->account);
    p->resume = resume;
    p->account = account != NULL ? body_account_ref(account) : NULL;
    if (account != NULL)
        body_account_add(account, (int64_t)p->held);
}

bool
body_pipe_has_head(const struct body_pipe *p)
{
    return p->has_head;
}

/* -- the engine thread's end ----------------------------------------------- */

static void
notify_once(struct body_pipe *p, bool already)
{
    if (!already)
        p->notify(p->fetch, p->arg);
}

void
body_pipe_publish_head(struct body_pipe *p)
{
    bool already;

    pthread_mutex_lock(&p->lock);
    p->has_head = true;
    already = p->notified;
    p->notified = true;
    pthread_mutex_unlock(&p->lock);
    notify_once(p, already);
}

/* Into room that the reader leaves alone, so without the lock. */
static void
copy_in(struct body_pipe *p, size_t at, const char *bytes, size_t n)
{
    size_t first = n < BODY_PIPE_BYTES - at ? n : BODY_PIPE_BYTES - at;

    memcpy(p->ring + at, bytes, first);
    memcpy(p->ring, bytes + first, n - first);
    body_account_add(p->account, (int64_t)n);
}

bool
body_pipe_try_write(struct body_pipe *p, const char *bytes, size_t n)
{
    bool already, full;
    size_t at;

    pthread_mutex_lock(&p->lock);
    p->full = full = n > BODY_PIPE_BYTES - p->held;
    at = (p->start + p->held) % BODY_PIPE_BYTES;
    if (!full) {
        pthread_mutex_unlock(&p->lock);
        copy_in(p, at, bytes, n);
        pthread_mutex_lock(&p->lock);
        p->held += n;
    }
    already = p->notified;
    p->notified = true;
    pthread_mutex_unlock(&p->lock);
    notify_once(p, already);
    return !full;
}

/* -- the reader's end ------------------------------------------------------- */

void
body_pipe_ack_notify(struct body_pipe *p)
{
    pthread_mutex_lock(&p->lock);
    p->notified = false;
    pthread_mutex_unlock(&p->lock);
}

size_t
body_pipe_peek(struct body_pipe *p, const char **bytes, size_t n)
{
    size_t there;

    pthread_mutex_lock(&p->lock);
    there = p->held < BODY_PIPE_BYTES - p->start ? p->held : BODY_PIPE_BYTES - p->start;
    *bytes = p->ring + p->start;
    pthread_mutex_unlock(&p->lock);
    return n < there ? n : there;
}

void
body_pipe_consume(struct body_pipe *p, size_t n)
{
    bool resume;

    body_account_subtract(p->account, (int64_t)n);
    pthread_mutex_lock(&p->lock);
    p->start = (p->start + n) % BODY_PIPE_BYTES;
    p->held -= n;
    resume = p->full && p->held <= BODY_PIPE_BYTES / 2;
    if (resume)
        p->full = false;
    pthread_mutex_unlock(&p->lock);
    if (resume)
        p->resume(p->fetch);
}
