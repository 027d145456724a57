/* engine_worker.c - the life of an engine thread: its event loop, which drives libcurl. */

#include "engine/engine_worker.h"

#include "engine/fetch_flow.h"
#include "util/clock.h"

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 65536L /* the pool bounds idle connections by session, not libcurl */

/* -- libcurl ------------------------------------------------------------- */

static void
on_socket_ready(struct connection_pool *p, int fd, int curl_events)
{
    struct engine_worker *w = container_of(p, struct engine_worker, pool);
    int running;

    curl_multi_socket_action(w->multi, fd, curl_events, &running);
    fetch_flow_reap(w);
}

/*
 * libcurl calls the timer callback only when its timeout changes.  If our timer fired before
 * libcurl considers it due, re-arm it from curl_multi_timeout().
 */
static void
rearm_curl_timer(struct engine_worker *w)
{
    long left_ms = -1; /* none */

    curl_multi_timeout(w->multi, &left_ms);
    if (left_ms >= 0)
        timer_set(&w->loop.timers, &w->curl_timer,
                  clock_us() + (left_ms > 0 ? left_ms : 1) * US_PER_MS);
}

static void
on_curl_timeout(struct timer *t)
{
    struct engine_worker *w = container_of(t, struct engine_worker, curl_timer);
    int running;

    w->curl_timer_refreshed = false;
    curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    if (!w->curl_timer_refreshed)
        rearm_curl_timer(w);
    fetch_flow_reap(w);
}

static int
on_timeout_change(CURLM *multi, long timeout_ms, void *arg)
{
    struct engine_worker *w = arg;

    (void)multi;
    w->curl_timer_refreshed = true;
    if (timeout_ms < 0)
        timer_clear(&w->loop.timers, &w->curl_timer);
    else
        timer_set(&w->loop.timers, &w->curl_timer, clock_us() + timeout_ms * US_PER_MS);
    return 0;
}

/* -- the thread ---------------------------------------------------------- */

static void
take_inbox(struct engine_worker *w)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&w->inbox); one != NULL; one = next) {
        next = one->next; /* the fetch that it is part of may be freed now */
        if (one->about == FETCH_SUBMITTED)
            fetch_flow_start(w, container_of(one, struct curlew_fetch, mail));
        else if (one->about == FETCH_CANCELLED)
            fetch_flow_cancel(w, container_of(one, struct curlew_fetch, cancel_mail));
        else
            fetch_flow_resume(w, container_of(one, struct curlew_fetch, resume_mail));
    }
}

static void *
run(void *arg)
{
    struct engine_worker *w = arg;

    while (!w->engine->stopping) {
        loop_turn(&w->loop);
        take_inbox(w);
        fetch_flow_dispatch(w);
        if (w->drop_reset && atomic_exchange(&w->drop_reset, false))
            connection_pool_drop_reset(&w->pool);
    }
    take_inbox(w);
    fetch_flow_cancel_all(w);
    return NULL;
}

/* -- start and end --------------------------------------------------------- */

static int
open_multi(struct engine_worker *w)
{
    if ((w->multi = curl_multi_init()) == NULL)
        return -1;
    connection_pool_init(&w->pool, &w->loop, &w->engine->stats, w->multi, on_socket_ready);
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, connection_pool_on_socket);
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, &w->pool);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    return 0;
}

struct engine_worker *
engine_worker_new(struct curlew *engine, struct failure *err)
{
    struct engine_worker *w = calloc(1, sizeof *w);

    if (w == NULL)
        goto no_memory;
    w->engine = engine;
    list_init(&w->running);
    list_init(&w->backoff);
    w->random = (uint64_t)clock_us() ^ (uintptr_t)w;
    timer_init(&w->curl_timer, on_curl_timeout);
    mailbox_init(&w->inbox);
    scheduler_init(&w->scheduler, &engine->stats, &engine->in_flight_max, &w->loop.timers);
    coalesce_init(&w->coalesce);
    dns_limit_init(&w->dns_limit);
    if (loop_init(&w->loop) != 0)
        goto no_loop;
    if (open_multi(w) != 0)
        goto no_multi;
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        goto no_thread;
    pthread_setname_np(w->thread, "engine");
    return w;

no_thread:
    connection_pool_stop(&w->pool);
    curl_multi_cleanup(w->multi);
    connection_pool_destroy(&w->pool);
no_multi:
    loop_destroy(&w->loop);
no_loop:
    mailbox_destroy(&w->inbox);
    free(w);
no_memory:
    failure_set(err, ERROR_INTERNAL, "cannot start an engine thread: no memory or no threads left");
    return NULL;
}

void
engine_worker_join(struct engine_worker *w)
{
    loop_wake(&w->loop);
    pthread_join(w->thread, NULL);
}

void
engine_worker_free(struct engine_worker *w)
{
    take_inbox(w); /* a redirect from another thread may have come after the last turn */
    handle_cache_destroy(&w->handles);
    connection_pool_stop(&w->pool);
    curl_multi_cleanup(w->multi);
    connection_pool_destroy(&w->pool);
    scheduler_destroy(&w->scheduler);
    loop_destroy(&w->loop);
    mailbox_destroy(&w->inbox);
    free(w);
}
