/* engine_worker.c - one session thread: one libcurl multi handle, one event loop. */

#include "engine/engine_worker.h"

#include "engine/engine.h"
#include "engine/fetch_flow.h"
#include "util/clock.h"

#include <stdlib.h>

#define CONNECTIONS_MAX 65536L /* the pool bounds idle connections by session, not libcurl */

/* -- libcurl ------------------------------------------------------------- */

static void
on_ready(struct connection_pool *p, int fd, int curl_events)
{
    struct engine_worker *m = container_of(p, struct engine_worker, pool);
    int running;

    curl_multi_socket_action(m->handle, fd, curl_events, &running);
    fetch_flow_reap(m);
}

/*
 * libcurl speaks of its deadline only when that changes.  So one that we met a
 * little early, by libcurl's clock, must be asked for, and met again.
 */
static void
set_same_deadline(struct engine_worker *m)
{
    long left_ms = -1; /* none */

    curl_multi_timeout(m->handle, &left_ms);
    if (left_ms >= 0)
        timer_set(&m->loop.timers, &m->curl_timer,
                  clock_us() + (left_ms > 0 ? left_ms : 1) * US_PER_MS);
}

static void
curl_timed_out(struct timer *t)
{
    struct engine_worker *m = container_of(t, struct engine_worker, curl_timer);
    int running;

    m->curl_timer_told = false;
    curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
    if (!m->curl_timer_told)
        set_same_deadline(m);
    fetch_flow_reap(m);
}

static int
on_timer(CURLM *handle, long timeout_ms, void *arg)
{
    struct engine_worker *m = arg;

    (void)handle;
    m->curl_timer_told = true;
    if (timeout_ms < 0)
        timer_clear(&m->loop.timers, &m->curl_timer);
    else
        timer_set(&m->loop.timers, &m->curl_timer, clock_us() + timeout_ms * US_PER_MS);
    return 0;
}

/* -- the thread ---------------------------------------------------------- */

static void
take_inbox(struct engine_worker *m)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&m->inbox); one != NULL; one = next) {
        next = one->next; /* what one is part of may be gone before we advance */
        if (one->about == FETCH_SUBMITTED)
            fetch_flow_start(m, container_of(one, struct curlew_fetch, mail));
        else if (one->about == FETCH_CANCELLED)
            fetch_flow_cancel(m, container_of(one, struct curlew_fetch, cancel_mail));
        else
            fetch_flow_resume(m, container_of(one, struct curlew_fetch, resume_mail));
    }
}

static void *
run(void *arg)
{
    struct engine_worker *m = arg;

    while (!m->engine->stopping) {
        loop_turn(&m->loop);
        take_inbox(m);
        fetch_flow_dispatch(m);
        if (m->forget && atomic_exchange(&m->forget, false))
            connection_pool_drop_reset(&m->pool);
    }
    take_inbox(m);
    fetch_flow_cancel_all(m);
    return NULL;
}

/* -- everyone else ------------------------------------------------------- */

static void
post(struct engine_worker *m, struct mail *one, enum fetch_mail about)
{
    one->about = about;
    if (mailbox_push(&m->inbox, one))
        loop_wake(&m->loop);
}

void
engine_worker_post(struct engine_worker *m, struct curlew_fetch *f)
{
    f->state = FETCH_POSTED;
    f->home = m;
    post(m, &f->mail, FETCH_SUBMITTED);
}

void
engine_worker_cancel(struct engine_worker *m, struct curlew_fetch *f)
{
    post(m, &f->cancel_mail, FETCH_CANCELLED);
}

void
engine_worker_resume(struct curlew_fetch *f)
{
    struct engine_worker *m = f->home;

    if (m != NULL)
        post(m, &fetch_ref(f)->resume_mail, FETCH_RESUMED);
}

void
engine_worker_drop_reset(struct engine_worker *m)
{
    m->forget = true;
    loop_wake(&m->loop);
}

void
engine_worker_wake(struct engine_worker *m)
{
    loop_wake(&m->loop);
}

static int
open_handle(struct engine_worker *m)
{
    if ((m->handle = curl_multi_init()) == NULL)
        return -1;
    connection_pool_init(&m->pool, &m->loop, &m->engine->stats, m->handle, on_ready);
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, connection_pool_on_socket);
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, &m->pool);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    return 0;
}

struct engine_worker *
engine_worker_new(struct curlew *engine, struct failure *err)
{
    struct engine_worker *m = calloc(1, sizeof *m);

    if (m == NULL)
        goto no_memory;
    m->engine = engine;
    list_init(&m->running);
    list_init(&m->resting);
    m->random = (uint64_t)clock_us() ^ (uintptr_t)m;
    timer_init(&m->curl_timer, curl_timed_out);
    mailbox_init(&m->inbox);
    scheduler_init(&m->scheduler, &engine->stats, &engine->in_flight_max, &m->loop.timers);
    coalesce_init(&m->coalesce);
    if (loop_init(&m->loop) != 0)
        goto no_loop;
    if (open_handle(m) != 0)
        goto no_handle;
    if (pthread_create(&m->thread, NULL, run, m) != 0)
        goto no_thread;
    pthread_setname_np(m->thread, "session");
    return m;

no_thread:
    curl_multi_cleanup(m->handle);
    connection_pool_destroy(&m->pool);
no_handle:
    loop_destroy(&m->loop);
no_loop:
    mailbox_destroy(&m->inbox);
    free(m);
no_memory:
    failure_set(err, ERROR_INTERNAL, "cannot start a session thread: no memory or no threads left");
    return NULL;
}

void
engine_worker_join(struct engine_worker *m)
{
    loop_wake(&m->loop);
    pthread_join(m->thread, NULL);
}

void
engine_worker_free(struct engine_worker *m)
{
    take_inbox(m); /* a redirect from another thread may have come after the last turn */
    handle_cache_destroy(&m->handles);
    curl_multi_cleanup(m->handle);
    connection_pool_destroy(&m->pool);
    scheduler_destroy(&m->scheduler);
    loop_destroy(&m->loop);
    mailbox_destroy(&m->inbox);
    free(m);
}
