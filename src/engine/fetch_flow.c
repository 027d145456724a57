/* fetch_flow.c - the way of a fetch through a session thread, from its arrival to its end. */

#include "engine/fetch_flow.h"

#include "engine/coalesce.h"
#include "engine/engine.h"
#include "engine/pause.h"
#include "engine/redirect.h"
#include "fetch/deadline.h"
#include "fetch/fetch_stats.h"
#include "fetch/retry.h"
#include "transfer/curl_result.h"
#include "transfer/response_reader.h"
#include "transfer/transfer.h"
#include "util/clock.h"

static void start(struct engine_worker *m, struct curlew_fetch *f);
static void try_again(struct engine_worker *m, struct curlew_fetch *f);

/* -- the end of a fetch -------------------------------------------------- */

static void
bench_proxy(struct curlew_fetch *f)
{
    if (fetch_proxy_failed(f))
        proxy_pool_cool_down(f->session->proxy_pool, f->request.proxy, clock_us());
}

/* Off this thread: from here on the fetch belongs to whoever submitted it. */
static void
finish(struct engine_worker *m, struct curlew_fetch *f)
{
    timer_clear(&m->loop.timers, &f->timer);
    coalesce_close(f);
    retry_forgo(f);
    bench_proxy(f);
    handle_cache_release(&m->handles, f);
    fetch_stats_record(f);
    if (f->failure.error != ERROR_NONE)
        response_reader_drop_body(f); /* nobody reads it, and it counts among the buffered bytes */
    f->state = FETCH_DONE;
    f->home = NULL;
    f->done(f, f->arg);
}

/* Everybody who can start, starts. */
void
fetch_flow_dispatch(struct engine_worker *m)
{
    struct curlew_fetch *f;

    while ((f = scheduler_next(&m->scheduler)) != NULL)
        start(m, f);
}

static void
leave(struct engine_worker *m, struct curlew_fetch *f)
{
    scheduler_release(&m->scheduler, f);
    engine_slot_freed(m->engine, m);
}

/* -- a fetch's own clock ------------------------------------------------- */

void
fetch_flow_arm_timer(struct engine_worker *m, struct curlew_fetch *f)
{
    int64_t at = deadline_of(f);

    if (at != INT64_MAX)
        timer_set(&m->loop.timers, &f->timer, at);
}

/* Take a fetch that runs off libcurl; it keeps its places. */
static void
extract(struct engine_worker *m, struct curlew_fetch *f)
{
    int fd;

    timer_clear(&m->loop.timers, &f->pace);
    fd = transfer_stop(f, m->handle);
    list_remove(&f->link);
    connection_pool_hop_done(f);
    connection_pool_mark_idle(&m->pool, fd, &m->running);
    transfer_release(f);
}

/* Take a fetch that does not run out of where it is. */
static void
withdraw(struct engine_worker *m, struct curlew_fetch *f)
{
    if (f->state == FETCH_WAITING)
        scheduler_withdraw(&m->scheduler, f);
    else if (f->state == FETCH_RESTING)
        list_remove(&f->link);
    else if (coalesce_detach(f))
        fetch_flow_cancel(m, fetch_ref(f->flight.leader));
}

/* Take a fetch that runs away from libcurl, which is not done with it. */
static void
break_off(struct engine_worker *m, struct curlew_fetch *f)
{
    uint64_t conn_id = transfer_conn_id(f);

    transfer_forbid_reuse(f);
    fetch_flow_finish_hop(m, f, CURLE_ABORTED_BY_CALLBACK);
    transfer_flush_resets(&m->running, conn_id);
}

void
fetch_flow_fail(struct engine_worker *m, struct curlew_fetch *f)
{
    if (f->state == FETCH_RUNNING) {
        break_off(m, f);
    } else {
        withdraw(m, f);
        finish(m, f);
    }
    fetch_flow_dispatch(m);
}

static void
time_out(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, timer);
    struct engine_worker *m = f->home;

    if (f->state == FETCH_RESTING)
        try_again(m, f);
    else if (deadline_check(f, transfer_bytes_sent(f)) == 0)
        fetch_flow_arm_timer(m, f);
    else
        fetch_flow_fail(m, f);
}

/* -- the start of a hop -------------------------------------------------- */

static int
launch(struct engine_worker *m, struct curlew_fetch *f)
{
    if (handle_cache_acquire(&m->handles, f) != 0 ||
        dns_limit_check(&m->dns_limit, f, f->started_us) != 0 || transfer_prepare(f, &m->pool) != 0)
        return -1;
    return transfer_start(f, m->handle);
}

/* It has its places. */
static void
start(struct engine_worker *m, struct curlew_fetch *f)
{
    int64_t now = clock_us();

    f->response.timing.queue += (double)(now - f->posted_us) / US_PER_SECOND;
    f->started_us = f->active_us = now;
    f->sent = 0;
    f->paused = false;
    retry_count(f, now);
    if (launch(m, f) != 0) {
        transfer_release(f);
        leave(m, f);
        finish(m, f);
        /*
         * fetch_flow_dispatch() would recurse: a turn of the thread ends with
         * fetch_flow_dispatch().
         */
        return;
    }
    f->state = FETCH_RUNNING;
    list_append(&m->running, &f->link);
    fetch_flow_arm_timer(m, f);
}

/* A leader is done, on this thread: so are its followers. */
static void
leader_done(struct curlew_fetch *leader, void *arg)
{
    struct engine_worker *m = arg;
    struct curlew_fetch *follower;

    while ((follower = coalesce_next_follower(leader)) != NULL)
        finish(m, follower);
    fetch_unref(leader);
}

/* As a follower of a transfer under way, or of a new one. */
static void
share(struct engine_worker *m, struct curlew_fetch *f)
{
    struct curlew_fetch *leader = coalesce_join(&m->coalesce, f);

    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    fetch_flow_arm_timer(m, f);
    if (leader == NULL)
        return;
    leader->done = leader_done;
    leader->arg = m;
    leader->home = m;
    fetch_flow_init(leader);
    fetch_flow_start(m, leader);
}

void
fetch_flow_start(struct engine_worker *m, struct curlew_fetch *f)
{
    struct curlew_fetch *evicted;
    enum scheduled scheduled;

    if (f->cancelled || m->engine->stopping)
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    if (coalesce_is_wanted(f)) {
        share(m, f);
        return;
    }
    f->state = FETCH_WAITING;
    scheduled = scheduler_enqueue(&m->scheduler, f, &evicted);
    if (evicted != NULL)
        finish(m, evicted);
    if (scheduled == SCHEDULED_NOW)
        start(m, f);
    else if (scheduled == SCHEDULED_QUEUED)
        fetch_flow_arm_timer(m, f);
    else
        finish(m, f);
}

/* To the next origin of a chain of redirects; on this one the fetch keeps its place. */
static void
hop(struct engine_worker *m, struct curlew_fetch *f)
{
    struct engine_worker *other = engine_worker_for(m->engine, f->url.origin);

    f->posted_us = clock_us();
    if (scheduler_try_keep_slot(f)) {
        start(m, f);
        return;
    }
    leave(m, f);
    if (other == m || f->flight.is_leader) { /* a leader stays where its followers are */
        fetch_flow_start(m, f);
        return;
    }
    timer_clear(&m->loop.timers, &f->timer);
    engine_worker_post(other, f);
}

/* -- the end of a hop ---------------------------------------------------- */

/* Until it is time for another try; its places are free meanwhile. */
static void
rest(struct engine_worker *m, struct curlew_fetch *f)
{
    leave(m, f);
    bench_proxy(f);
    if (retry_renew(f) == 0 && timer_set(&m->loop.timers, &f->timer, f->again_us) != 0)
        failure_no_memory(&f->failure);
    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    f->state = FETCH_RESTING;
    list_append(&m->resting, &f->link);
}

static void
try_again(struct engine_worker *m, struct curlew_fetch *f)
{
    list_remove(&f->link);
    f->posted_us = clock_us();
    fetch_flow_start(m, f);
}

/* Whoever waits for an origin whose breaker has opened need not wait any longer. */
static void
turn_away(struct engine_worker *m, struct origin_queue *l)
{
    struct curlew_fetch *f;

    while ((f = scheduler_reject_waiting(&m->scheduler, l)) != NULL)
        finish(m, f);
}

void
fetch_flow_finish_hop(struct engine_worker *m, struct curlew_fetch *f, CURLcode result)
{
    enum redirect next = REDIRECT_NONE;

    if (result == CURLE_OPERATION_TIMEDOUT || result == CURLE_ABORTED_BY_CALLBACK)
        dns_limit_record_abandoned(&m->dns_limit, f, clock_us());
    curl_result_apply(f, result);
    extract(m, f);
    if (scheduler_record_outcome(f))
        turn_away(m, f->ticket.queue);
    if (f->failure.error == ERROR_NONE)
        next = redirect_next(f);
    if (next == REDIRECT_FOLLOW) {
        hop(m, f);
    } else if (retry_grant(f)) {
        rest(m, f);
    } else {
        leave(m, f);
        finish(m, f);
    }
}

/* -- the caller leaves ---------------------------------------------------- */

void
fetch_flow_cancel(struct engine_worker *m, struct curlew_fetch *f)
{
    if (f->home == m && f->state >= FETCH_WAITING && f->state < FETCH_DONE) {
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
        fetch_flow_fail(m, f);
    }
    fetch_unref(f);
}

void
fetch_flow_cancel_all(struct engine_worker *m)
{
    struct curlew_fetch *f;

    while ((f = scheduler_any_waiting(&m->scheduler)) != NULL)
        fetch_flow_cancel(m, fetch_ref(f));
    while (!list_empty(&m->running))
        fetch_flow_cancel(m, fetch_ref(container_of(m->running.next, struct curlew_fetch, link)));
    while (!list_empty(&m->resting))
        fetch_flow_cancel(m, fetch_ref(container_of(m->resting.next, struct curlew_fetch, link)));
}

/* -- in and out of the thread -------------------------------------------- */

void
fetch_flow_init(struct curlew_fetch *f)
{
    timer_init(&f->timer, time_out); /* neither is set: no thread has the fetch just now */
    timer_init(&f->pace, pause_is_over);
}
