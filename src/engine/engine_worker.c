/* engine_worker.c - the life of an engine thread: its event loop, which drives libcurl. */

#include "engine/engine_worker.h"

#include "engine/fetch_flow.h"
#include "engine/fetch_list.h"
#include "engine/worker_inbox.h"
#include "util/clock.h"

#include <curl/curl.h>
#include <stdlib.h>

#define AGAIN_US (10 * US_PER_MS)

/* -- libcurl ------------------------------------------------------------- */

/*
 * Without memory libcurl stops before it has told all that it waits for, and would wait for it for
 * ever.  Then it is asked again, for all transfers.
 */
static void
check(struct engine_worker *w, CURLMcode rc)
{
    if (rc == CURLM_OUT_OF_MEMORY)
        timer_set(&w->loop.timers, &w->again_timer, clock_us() + AGAIN_US);
}

static void
on_again(struct timer *t)
{
    struct engine_worker *w = container_of(t, struct engine_worker, again_timer);
    int running;

    /* Deprecated, as it is slow, and the only function that does this. */
    CURL_IGNORE_DEPRECATION(check(w, curl_multi_socket_all(w->multi, &running));)
    fetch_flow_reap(w);
}

static void
on_socket_ready(struct connection_pool *p, int fd, int curl_events)
{
    struct engine_worker *w = container_of(p, struct engine_worker, pool);
    int running;

    check(w, curl_multi_socket_action(w->multi, fd, curl_events, &running));
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
    check(w, curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running));
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
on_slow_turn(struct turn_watchdog *dog, int64_t turn_us)
{
    struct loop *loop = container_of(dog, struct loop, watchdog);
    struct engine_worker *w = container_of(loop, struct engine_worker, loop);
    struct log_sink log;

    pthread_mutex_lock(&w->engine->config_lock);
    log = w->engine->config->log;
    pthread_mutex_unlock(&w->engine->config_lock);
    log_sink_printf(&log, LOG_WARNING,
                    "a turn of an engine thread took %lld ms: its other fetches waited",
                    (long long)(turn_us / US_PER_MS));
}

static void
handle(struct engine_worker *w, struct mail *one)
{
    if (one->about == FETCH_SUBMITTED)
        fetch_flow_start(w, container_of(one, struct curlew_fetch, mail));
    else if (one->about == FETCH_CANCELLED)
        fetch_flow_cancel(w, container_of(one, struct curlew_fetch, cancel_mail));
    else if (one->about == FETCH_UPLOAD_BYTES)
        fetch_flow_upload(w, container_of(one, struct curlew_fetch, upload_mail));
    else if (one->about == FETCH_LIST_WANTED)
        fetch_list_answer(w, container_of(one, struct fetch_list_part, mail));
    else
        fetch_flow_resume(w, container_of(one, struct curlew_fetch, resume_mail));
}

/* Starting a fetch with thousands of headers and cookies takes a millisecond. */
static void
take_inbox(struct engine_worker *w)
{
    if (w->unread == NULL)
        w->unread = mailbox_take(&w->inbox);
    while (w->unread != NULL) {
        struct mail *one = w->unread;

        w->unread = one->next; /* the fetch that it is part of may be freed now */
        handle(w, one);
        if (w->unread != NULL && !w->engine->stopping && !loop_has_time(&w->loop)) {
            loop_wake(&w->loop);
            return;
        }
    }
}

/* At the end, when nobody waits for the thread any more. */
static void
empty_inbox(struct engine_worker *w)
{
    do
        take_inbox(w);
    while (w->unread != NULL || (w->unread = mailbox_take(&w->inbox)) != NULL);
}

static void
forget_breakers(struct engine_worker *w)
{
    struct config_snapshot *p =
        w->new_config != NULL ? atomic_exchange(&w->new_config, NULL) : NULL;

    if (p != NULL)
        origin_queue_forget_breakers(&w->scheduler.queues, p);
    config_snapshot_unref(p);
}

static void
drop_idle_connections(struct engine_worker *w)
{
    if (w->drop_reset && atomic_exchange(&w->drop_reset, false))
        connection_pool_drop_reset(&w->pool);
    if (connection_pool_take_shortage(&w->pool))
        worker_inbox_drop_idle(w->engine); /* this thread's too */
    if (w->drop_idle && atomic_exchange(&w->drop_idle, false))
        connection_pool_drop_idle(&w->pool);
}

/*
 * While the threads together have the origins' share, each that ends a transfer closes its longest
 * idle connection, until it has few.
 */
static void
keep_fewer_if_tight(struct engine_worker *w)
{
    const struct curlew *engine = w->engine;
    bool is_tight = counter_read(&engine->stats.sockets) >= engine->shares.origins;

    if (is_tight == w->is_tight)
        return;
    w->is_tight = is_tight;
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS,
                      (long)(is_tight ? engine->kept_if_tight : engine->shares.origins));
}

static void *
run(void *arg)
{
    struct engine_worker *w = arg;

    while (!w->engine->stopping) {
        loop_turn(&w->loop);
        take_inbox(w);
        fetch_flow_dispatch(w);
        forget_breakers(w);
        drop_idle_connections(w);
        keep_fewer_if_tight(w);
    }
    empty_inbox(w);
    fetch_flow_cancel_all(w);
    return NULL;
}

/* -- start and end --------------------------------------------------------- */

/*
 * libcurl closes the connection that is idle for longest when a new one would be too many.  It has
 * one more for the pool's sweep.  With several threads the sum may be more: see the pool, and
 * keep_fewer_if_tight().
 */
static void
limit_connections(struct engine_worker *w)
{
    int max = w->engine->shares.origins;

    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)max);
    curl_multi_setopt(w->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max + 1);
    w->pool.share = max;
}

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
    limit_connections(w);
    return 0;
}

/* Each has a name of its own, by which it knows the threads that libcurl makes for it. */
static void
set_name(pthread_t thread)
{
    static atomic_uint last;
    char name[16];

    snprintf(name, sizeof name, "engine-%u", atomic_fetch_add(&last, 1) % 1000000 + 1);
    pthread_setname_np(thread, name);
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
    timer_init(&w->again_timer, on_again);
    mailbox_init(&w->inbox);
    scheduler_init(&w->scheduler, &engine->stats, &engine->in_flight_max, &w->loop.timers);
    coalesce_init(&w->coalesce);
    dns_limit_init(&w->dns_limit);
    if (loop_init(&w->loop) != 0)
        goto no_loop;
    w->loop.watchdog.slow_turns = &engine->stats.slow_turns;
    w->loop.watchdog.report = on_slow_turn;
    if (open_multi(w) != 0)
        goto no_multi;
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        goto no_thread;
    set_name(w->thread);
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
    empty_inbox(w); /* a redirect from another thread may have come after the last turn */
    handle_cache_destroy(&w->handles);
    connection_pool_stop(&w->pool);
    curl_multi_cleanup(w->multi);
    tls_tickets_destroy(&w->tickets);
    connection_pool_destroy(&w->pool);
    scheduler_destroy(&w->scheduler);
    config_snapshot_unref(w->new_config);
    loop_destroy(&w->loop);
    mailbox_destroy(&w->inbox);
    free(w);
}
