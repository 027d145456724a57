/* fetch.c - one fetch: the request, where it stands, the response or the failure. */

#include "fetch/fetch.h"

#include "fetch/body_pipe.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_REQUEST 16384 /* bytes; smaller ones are bounded well enough by their number */

/* -- memory ------------------------------------------------------------------ */

#define SPARE_MAX 16

/*
 * A fetch is larger than what glibc keeps for a thread: with each one it would merge and split
 * blocks again.  AddressSanitizer shall see the use of one that was freed.
 */
#ifndef __has_feature /* clang's word; gcc has a macro */
#define __has_feature(name) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#define KEEPS_SPARE false
#else
#define KEEPS_SPARE true
#endif

static _Thread_local struct curlew_fetch *spare[SPARE_MAX];
static _Thread_local int spare_count;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void
free_spare(void *count)
{
    (void)count;
    while (spare_count > 0)
        free(spare[--spare_count]);
}

static void
make_key(void)
{
    has_key = KEEPS_SPARE && pthread_key_create(&key, free_spare) == 0;
}

/* false: it is the caller's to free. */
static bool
try_spare(struct curlew_fetch *f)
{
    pthread_once(&key_made, make_key);
    if (!has_key || spare_count == SPARE_MAX)
        return false;
    if (spare_count == 0 && pthread_setspecific(key, &spare_count) != 0)
        return false; /* nobody would free it at the thread's end */
    spare[spare_count++] = f;
    return true;
}

/* All of it 0. */
static struct curlew_fetch *
take_memory(void)
{
    if (spare_count == 0)
        return calloc(1, sizeof(struct curlew_fetch));
    return memset(spare[--spare_count], 0, sizeof(struct curlew_fetch));
}

/* -- its life ------------------------------------------------------------------- */

struct curlew_fetch *
fetch_new(void)
{
    struct curlew_fetch *f = take_memory();

    if (f == NULL)
        return NULL;
    f->refs = 1;
    request_init(&f->request);
    response_init(&f->response);
    list_init(&f->link);
    list_init(&f->ticket.link);
    list_init(&f->flight.link);
    list_init(&f->kin);
    f->index = -1;
    list_init(&f->flight.followers);
    list_init(&f->flight.leader_link);
    return f;
}

struct curlew_fetch *
fetch_ref(struct curlew_fetch *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

/* By bits, the states that may follow each one. */
static const unsigned next_states[] = {
    [FETCH_NEW] = 1 << FETCH_POSTED,
    [FETCH_POSTED] = 1 << FETCH_QUEUED | 1 << FETCH_FOLLOWING | 1 << FETCH_DONE,
    [FETCH_QUEUED] = 1 << FETCH_RUNNING | 1 << FETCH_DONE,
    /* a redirect: on another thread, on this one, on this one with its slot kept */
    [FETCH_RUNNING] = 1 << FETCH_POSTED | 1 << FETCH_QUEUED | 1 << FETCH_RUNNING |
                      1 << FETCH_BACKOFF | 1 << FETCH_DONE,
    [FETCH_BACKOFF] = 1 << FETCH_QUEUED | 1 << FETCH_DONE,
    [FETCH_FOLLOWING] = 1 << FETCH_DONE,
    [FETCH_DONE] = 1 << FETCH_POSTED, /* submitted again */
};

void
fetch_set_state(struct curlew_fetch *f, enum fetch_state state)
{
    assert(next_states[f->state] & 1U << state);
    f->state = state;
}

int
fetch_stream_body(struct curlew_fetch *f, body_pipe_notify *notify, void *arg)
{
    f->pipe = body_pipe_new(f, notify, arg);
    return f->pipe != NULL ? 0 : failure_no_memory(&f->failure);
}

int
fetch_open_upload(struct curlew_fetch *f, const struct upload_size *size,
                  upload_pipe_on_room *on_room, void *arg)
{
    f->upload = upload_pipe_new(f, size, on_room, arg);
    return f->upload != NULL ? 0 : failure_no_memory(&f->failure);
}

void
fetch_reset(struct curlew_fetch *f)
{
    fetch_set_buffered(f, 0);
    if (f->held > 0)
        body_account_subtract(f->config->bodies, f->held);
    f->held = 0;
    response_destroy(&f->response);
    url_destroy(&f->url);
    free(f->proxy_host);
    url_destroy(&f->first_url);
    f->proxy_host = NULL;
    config_snapshot_unref(f->config);
    f->config = NULL;
    f->session = NULL;
    if (f->proxy_lent) {
        free(f->request.proxy);
        f->request.proxy = NULL;
    }
    f->proxy_lent = f->retry.scheduled = f->new_connection = f->was_sent = false;
    f->ticket.probe = false;
    f->sent_error = ERROR_NONE;
    f->redirects = 0;
    f->failure = (struct failure){ 0 };
}

void
fetch_unref(struct curlew_fetch *f)
{
    if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    fetch_reset(f);
    body_pipe_free(f->pipe);
    upload_pipe_free(f->upload);
    request_destroy(&f->request);
    if (!try_spare(f))
        free(f);
}

int
fetch_try_buffer(struct curlew_fetch *f, int64_t n)
{
    if (!body_account_try_add(f->config->bodies, n, f->config->limits.buffered_bytes))
        return -1;
    f->buffered += n;
    return 0;
}

int
fetch_overloaded(const struct curlew_fetch *f, struct failure *err)
{
    return failure_set(err, ERROR_OVERLOADED,
                       "limits.buffered_bytes: all bodies together are over %lld bytes",
                       (long long)f->config->limits.buffered_bytes);
}

int
fetch_try_hold_request(struct curlew_fetch *f)
{
    int64_t n = (int64_t)request_bytes(&f->request);

    n = n > USUAL_REQUEST ? n : 0;
    if (f->upload != NULL)
        n += (int64_t)upload_pipe_size(f->upload);
    if (n == 0)
        return 0;
    if (!body_account_try_add(f->config->bodies, n, f->config->limits.buffered_bytes))
        return -1;
    f->held = n;
    return 0;
}

void
fetch_set_buffered(struct curlew_fetch *f, int64_t n)
{
    if (n != f->buffered)
        body_account_subtract(f->config->bodies, f->buffered - n);
    f->buffered = n;
}

bool
fetch_try_hold_body(struct curlew_fetch *f)
{
    return f->upload == NULL || !f->sends_body || upload_pipe_try_hold(f->upload);
}

void
fetch_release_body(struct curlew_fetch *f)
{
    if (f->upload != NULL)
        upload_pipe_release(f->upload);
}

bool
fetch_proxy_failed(const struct curlew_fetch *f)
{
    return f->proxy_lent && f->failure.error == ERROR_PROXY_FAILED;
}

bool
fetch_may_multiplex(const struct curlew_fetch *f)
{
    enum http_version v = f->request.http_version;

    return v == HTTP_2_PRIOR_KNOWLEDGE || (strcmp(f->url.scheme, "https") == 0 && v != HTTP_1_1);
}

void
fetch_set_next_url(struct curlew_fetch *f, const struct url *next)
{
    f->same_origin = f->same_origin && strcmp(f->url.origin, next->origin) == 0;
    if (f->first_url.origin == NULL)
        f->first_url = f->url;
    else
        url_destroy(&f->url);
    f->url = *next;
}

bool
fetch_may_lend(const struct curlew_fetch *f)
{
    const char *first = f->first_url.origin != NULL ? f->first_url.origin : f->url.origin;
    bool was_https = strncmp(first, "https:", 6) == 0;

    if (was_https && strcmp(f->url.scheme, "https") != 0)
        return false;
    if (f->session->settings.host_count > 0)
        return session_has_host(f->session, f->url.host);
    return strcmp(first, f->url.origin) == 0;
}
