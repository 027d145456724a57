/* upload_pipe.c - a request's body on its way from its caller's thread to an engine thread. */

#include "fetch/upload_pipe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A ring, of which the positions count the bytes of the body: kept <= next <= end. */
struct upload_pipe {
    struct curlew_fetch *fetch;
    upload_pipe_on_room *on_room;
    void *arg;
    upload_pipe_on_bytes *on_bytes; /* NULL: not attached */
    struct upload_size limits;
    pthread_mutex_t lock;
    struct failure failure;
    int64_t kept, next, end;
    bool ended;
    bool held;           /* nothing of it may be given up */
    bool discarded;      /* nobody reads it any more */
    bool full;           /* the writer has stopped, and waits for room */
    bool told_room;      /* on_room has called, or is about to */
    atomic_bool starved; /* the transfer is paused, and waits for bytes */
    bool told_bytes;
    size_t size;
    char ring[];
};

/* What is shorter needs no more room. */
static size_t
size_for(const struct upload_size *size)
{
    if (size->length < 0 || size->length > UPLOAD_PIPE_BYTES)
        return UPLOAD_PIPE_BYTES;
    return size->length > 0 ? (size_t)size->length : 1;
}

struct upload_pipe *
upload_pipe_new(struct curlew_fetch *f, const struct upload_size *size,
                upload_pipe_on_room *on_room, void *arg)
{
    size_t n = size_for(size);
    struct upload_pipe *p = malloc(sizeof *p + n);

    if (p == NULL)
        return NULL;
    *p = (struct upload_pipe){
        .fetch = f, .on_room = on_room, .arg = arg, .limits = *size, .size = n
    };
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void
upload_pipe_free(struct upload_pipe *p)
{
    if (p == NULL)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void
upload_pipe_attach(struct upload_pipe *p, upload_pipe_on_bytes *on_bytes)
{
    p->on_bytes = on_bytes;
}

size_t
upload_pipe_size(const struct upload_pipe *p)
{
    return p->size;
}

int64_t
upload_pipe_length(const struct upload_pipe *p)
{
    return p->limits.length;
}

static bool
has_failed(const struct upload_pipe *p)
{
    return p->failure.error != ERROR_NONE;
}

/* -- the writer's end ------------------------------------------------------- */

/* What was read gives way, unless it is held. */
static size_t
room(const struct upload_pipe *p)
{
    return p->size - (size_t)(p->end - (p->held ? p->kept : p->next));
}

/* Under the lock: must the engine thread be told? */
static bool
take_bytes_notice(struct upload_pipe *p)
{
    bool tell = (p->starved || has_failed(p)) && !p->told_bytes && p->on_bytes != NULL;

    p->told_bytes |= tell;
    return tell;
}

static void
check_size(struct upload_pipe *p, size_t n)
{
    int64_t total = p->end + (int64_t)n;

    if (p->limits.length >= 0 && total > p->limits.length)
        failure_set(&p->failure, ERROR_BAD_REQUEST,
                    "body_follows: %lld bytes were announced, and %lld or more were given",
                    (long long)p->limits.length, (long long)total);
    else if (p->limits.max > 0 && total > p->limits.max)
        failure_set(&p->failure, ERROR_REQUEST_TOO_LARGE,
                    "limits.upload_bytes: the request's body is over %lld bytes",
                    (long long)p->limits.max);
}

static void
copy_in(struct upload_pipe *p, const char *bytes, size_t n)
{
    size_t at = (size_t)p->end % p->size, first = n < p->size - at ? n : p->size - at;

    memcpy(p->ring + at, bytes, first);
    memcpy(p->ring, bytes + first, n - first);
    p->end += (int64_t)n;
    if (p->end - p->kept > (int64_t)p->size)
        p->kept = p->end - (int64_t)p->size;
}

static size_t
take(struct upload_pipe *p, const char *bytes, size_t n)
{
    size_t taken = room(p);

    check_size(p, n);
    if (has_failed(p))
        return n;
    if (p->discarded) {
        p->end += (int64_t)n;
        p->kept = p->next = p->end;
        return n;
    }
    taken = n < taken ? n : taken;
    copy_in(p, bytes, taken);
    p->full = taken < n;
    return taken;
}

size_t
upload_pipe_write(struct upload_pipe *p, const char *bytes, size_t n)
{
    bool tell;

    pthread_mutex_lock(&p->lock);
    n = take(p, bytes, n);
    tell = take_bytes_notice(p);
    pthread_mutex_unlock(&p->lock);
    if (tell)
        p->on_bytes(p->fetch);
    return n;
}

void
upload_pipe_end(struct upload_pipe *p)
{
    bool tell;

    pthread_mutex_lock(&p->lock);
    p->ended = true;
    if (p->limits.length >= 0 && p->end < p->limits.length)
        failure_set(&p->failure, ERROR_BAD_REQUEST,
                    "body_follows: %lld bytes were announced, and %lld were given",
                    (long long)p->limits.length, (long long)p->end);
    tell = take_bytes_notice(p);
    pthread_mutex_unlock(&p->lock);
    if (tell)
        p->on_bytes(p->fetch);
}

void
upload_pipe_fail(struct upload_pipe *p, const struct failure *why)
{
    bool tell;

    pthread_mutex_lock(&p->lock);
    if (!has_failed(p))
        p->failure = *why;
    tell = take_bytes_notice(p);
    pthread_mutex_unlock(&p->lock);
    if (tell)
        p->on_bytes(p->fetch);
}

void
upload_pipe_ack_room(struct upload_pipe *p)
{
    pthread_mutex_lock(&p->lock);
    p->told_room = false;
    pthread_mutex_unlock(&p->lock);
}

/* -- the engine thread's end ------------------------------------------------ */

/* Under the lock: must the writer be told? */
static bool
take_room_notice(struct upload_pipe *p)
{
    bool tell = p->full && !p->told_room && (p->discarded || room(p) >= (p->size + 1) / 2);

    if (tell) {
        p->full = false;
        p->told_room = true;
    }
    return tell;
}

static void
copy_out(struct upload_pipe *p, char *to, size_t n)
{
    size_t at = (size_t)p->next % p->size, first = n < p->size - at ? n : p->size - at;

    memcpy(to, p->ring + at, first);
    memcpy(to + first, p->ring, n - first);
    p->next += (int64_t)n;
}

/* How many bytes may be read now. */
static size_t
readable(const struct upload_pipe *p)
{
    size_t n = (size_t)(p->end - p->next);
    bool looks_whole = !p->ended && p->end == p->limits.length;

    return looks_whole && n > 0 ? n - 1 : n;
}

static enum upload_read
take_out(struct upload_pipe *p, char *to, size_t n, size_t *got)
{
    size_t most = readable(p);

    *got = n < most ? n : most;
    p->starved = false;
    if (has_failed(p))
        return UPLOAD_FAILED;
    if (*got == 0 && p->ended && p->next == p->end)
        return UPLOAD_END;
    p->starved = *got == 0;
    copy_out(p, to, *got);
    return *got > 0 ? UPLOAD_BYTES : UPLOAD_EMPTY;
}

enum upload_read
upload_pipe_read(struct upload_pipe *p, char *to, size_t n, size_t *got)
{
    enum upload_read result;
    bool tell;

    pthread_mutex_lock(&p->lock);
    result = take_out(p, to, n, got);
    tell = take_room_notice(p);
    pthread_mutex_unlock(&p->lock);
    if (tell)
        p->on_room(p->fetch, p->arg);
    return result;
}

bool
upload_pipe_try_wake(struct upload_pipe *p)
{
    bool paused;

    pthread_mutex_lock(&p->lock);
    paused = p->starved;
    p->starved = false;
    p->told_bytes = false;
    pthread_mutex_unlock(&p->lock);
    return paused;
}

int
upload_pipe_check(struct upload_pipe *p, struct failure *err)
{
    int rc = 0;

    pthread_mutex_lock(&p->lock);
    if (has_failed(p))
        rc = failure_set(err, p->failure.error, "%s", p->failure.detail);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

bool
upload_pipe_is_starved(const struct upload_pipe *p)
{
    return p->starved;
}

int64_t
upload_pipe_bytes_read(struct upload_pipe *p)
{
    int64_t n;

    pthread_mutex_lock(&p->lock);
    n = p->next;
    pthread_mutex_unlock(&p->lock);
    return n;
}

bool
upload_pipe_try_hold(struct upload_pipe *p)
{
    bool whole;

    pthread_mutex_lock(&p->lock);
    whole = p->kept == 0 && !p->discarded;
    p->held = whole;
    pthread_mutex_unlock(&p->lock);
    return whole;
}

void
upload_pipe_release(struct upload_pipe *p)
{
    bool tell;

    pthread_mutex_lock(&p->lock);
    p->held = false;
    tell = take_room_notice(p);
    pthread_mutex_unlock(&p->lock);
    if (tell)
        p->on_room(p->fetch, p->arg);
}

int
upload_pipe_rewind(struct upload_pipe *p)
{
    int rc;

    pthread_mutex_lock(&p->lock);
    rc = p->kept == 0 && !p->discarded ? 0 : -1;
    if (rc == 0)
        p->next = 0;
    p->starved = false;
    p->held = false;
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void
upload_pipe_discard(struct upload_pipe *p)
{
    pthread_mutex_lock(&p->lock);
    p->discarded = true;
    pthread_mutex_unlock(&p->lock);
    upload_pipe_release(p);
}
