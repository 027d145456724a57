/* fetch_flow.c - the way of a fetch through an engine thread, from its arrival to its end. */

#include "engine/fetch_flow.h"

#include "curlew/curlew.h"
#include "engine/coalesce.h"
#include "engine/prepare.h"
#include "engine/redirect.h"
#include "engine/worker_inbox.h"
#include "fetch/deadline.h"
#include "fetch/fetch_stats.h"
#include "fetch/retry.h"
#include "transfer/curl_result.h"
#include "transfer/hop_cookies.h"
#include "transfer/response_reader.h"
#include "transfer/sent_once.h"
#include "transfer/transfer.h"
#include "transfer/upload_reader.h"
#include "util/clock.h"

static void begin(struct engine_worker *w, struct curlew_fetch *f);
static void start_hop(struct engine_worker *w, struct curlew_fetch *f);
static void finish_hop(struct engine_worker *w, struct curlew_fetch *f, CURLcode result);
static void fail(struct engine_worker *w, struct curlew_fetch *f);

/* -- the end of a fetch -------------------------------------------------- */

static void
cool_down_proxy(struct curlew_fetch *f)
{
    if (fetch_proxy_failed(f))
        proxy_pool_cool_down(f->session->proxy_pool, f->request.proxy, clock_us());
}

/*
 * Where an attempt was sent, and a later one was not, the failure must not say that nothing was
 * sent: callers send again then.
 */
static void
correct_failure(struct curlew_fetch *f)
{
    struct failure last = f->failure;

    f->failure.attempts = f->was_sent ? f->response.attempts : 0;
    if (f->sent_error == ERROR_NONE || !resend_error_says_unsent(last.error))
        return;
    f->failure = (struct failure){ .attempts = f->response.attempts };
    failure_set(&f->failure, f->sent_error, "an attempt was sent and failed; the last one: %.300s",
                last.detail);
}

/* Off this thread: from here on the fetch belongs to whoever submitted it. */
static void
finish(struct engine_worker *w, struct curlew_fetch *f)
{
    timer_clear(&w->loop.timers, &f->timer);
    redirect_tell_refused(f);
    coalesce_close(f);
    retry_release(f);
    cool_down_proxy(f);
    hop_cookies_store(f); /* or its failure is set */
    correct_failure(f);
    handle_cache_release(&w->handles, f);
    if (!f->flight.is_leader) /* its followers count */
        fetch_stats_record(f);
    if (f->failure.error != ERROR_NONE)
        response_reader_drop_body(f); /* nobody reads it, and it counts among the buffered bytes */
    fetch_set_state(f, FETCH_DONE);
    f->worker = NULL;
    f->done(f, f->arg);
}

static void
release_slot(struct engine_worker *w, struct curlew_fetch *f)
{
    scheduler_release(&w->scheduler, f);
    worker_inbox_slot_freed(w->engine, w);
}

/* -- stopping a fetch ----------------------------------------------------- */

/* Take a running fetch away from libcurl; it keeps its slot. */
static void
extract(struct engine_worker *w, struct curlew_fetch *f)
{
    bool http1 = transfer_was_http1(f);
    int fd = transfer_stop(f, w->multi);

    timer_clear(&w->loop.timers, &f->pause_timer);
    list_remove(&f->link);
    connection_pool_hop_done(f);
    if (transfer_lacked_memory(f)) /* an HTTP/2 session may have lost a frame, and wait for ever */
        connection_pool_distrust(&w->pool, transfer_conn_id(f));
    connection_pool_mark_idle(&w->pool, f, fd, http1, &w->running);
    transfer_release(f);
}

/* Take a fetch that does not run out of where it is. */
static void
withdraw(struct engine_worker *w, struct curlew_fetch *f)
{
    struct curlew_fetch *leader;

    if (f->state == FETCH_QUEUED)
        scheduler_withdraw(&w->scheduler, f);
    else if (f->state == FETCH_BACKOFF)
        list_remove(&f->link);
    else if ((leader = coalesce_detach(f)) != NULL)
        fail(w, leader);
}

/* Take a running fetch away from libcurl, which is not done with it. */
static void
abort_hop(struct engine_worker *w, struct curlew_fetch *f)
{
    uint64_t conn_id = transfer_conn_id(f);

    transfer_forbid_reuse(f);
    finish_hop(w, f, CURLE_ABORTED_BY_CALLBACK);
    transfer_flush_resets(&w->running, conn_id);
}

/* Of f->failure, wherever it stands. */
static void
fail(struct engine_worker *w, struct curlew_fetch *f)
{
    if (f->state == FETCH_RUNNING) {
        abort_hop(w, f);
    } else {
        withdraw(w, f);
        finish(w, f);
    }
    fetch_flow_dispatch(w);
}

/* -- a fetch's timer ------------------------------------------------------ */

static void
arm_timer(struct engine_worker *w, struct curlew_fetch *f)
{
    int64_t at = deadline_of(f);

    if (f->failure.error == ERROR_NONE && at != INT64_MAX) /* else on_lost() has set it */
        timer_set(&w->loop.timers, &f->timer, at);
}

static void
retry_now(struct engine_worker *w, struct curlew_fetch *f)
{
    list_remove(&f->link);
    f->posted_us = clock_us();
    begin(w, f);
}

static void
on_timeout(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, timer);
    struct engine_worker *w = f->worker;

    if (f->state == FETCH_BACKOFF)
        retry_now(w, f);
    else if (f->failure.error != ERROR_NONE)
        fail(w, f);
    else if (deadline_check(f, transfer_bytes_unsent(f, &w->running)) == 0)
        arm_timer(w, f);
    else
        fail(w, f);
}

/* From within libcurl's callbacks, where it can't be taken away from libcurl. */
static void
on_lost(struct curlew_fetch *f)
{
    timer_set(&f->worker->loop.timers, &f->timer, clock_us());
}

/* -- pauses ----------------------------------------------------------------- */

static void
on_pause(struct curlew_fetch *f, int64_t until_us)
{
    struct engine_worker *w = f->worker;

    f->paused = true;
    if (until_us != RESPONSE_EVENTS_UNTIL_RESUMED)
        timer_set(&w->loop.timers, &f->pause_timer, until_us);
}

static void
resume(struct engine_worker *w, struct curlew_fetch *f)
{
    f->paused = false;
    f->active_us = clock_us();
    arm_timer(w, f);
    /*
     * libcurl may call the callbacks at once; f itself stays until it is reaped.  Where one of
     * them refuses, the transfer would otherwise stay until its timeout.
     */
    if (transfer_resume(f) != 0) {
        failure_set(&f->failure, ERROR_INTERNAL, "the transfer could not be resumed");
        fail(w, f);
        return;
    }
    fetch_flow_reap(w);
}

static void
on_pause_timeout(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, pause_timer);

    resume(f->worker, f);
}

void
fetch_flow_resume(struct engine_worker *w, struct curlew_fetch *f)
{
    if (f->worker == w && f->state == FETCH_RUNNING && f->paused && !timer_is_set(&f->pause_timer))
        resume(w, f);
    fetch_unref(f);
}

/* -- uploads ---------------------------------------------------------------- */

/*
 * Its caller has sent bytes, or their end, or what makes it fail.  A redirect may have moved it to
 * another thread meanwhile.
 */
void
fetch_flow_upload(struct engine_worker *w, struct curlew_fetch *f)
{
    struct engine_worker *now = f->worker;
    bool is_here = now == w && f->state >= FETCH_QUEUED && f->state < FETCH_DONE;

    if (is_here && upload_reader_wake(f) != 0)
        fail(w, f);
    else if (is_here)
        fetch_flow_reap(w);
    else if (now != NULL)
        worker_inbox_upload_bytes(f);
    fetch_unref(f);
}

/* -- retries ---------------------------------------------------------------- */

/* splitmix64 */
static uint64_t
next_random(struct engine_worker *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* How long to wait before another attempt; -1: there is none. */
static int64_t
retry_wait(struct engine_worker *w, const struct curlew_fetch *f, int64_t now_us)
{
    struct retry_attempt a = {
        .policy = &f->request.retries,
        .method = f->method,
        .attempts = f->response.attempts,
        .failure = &f->failure,
        .head = &f->response.head,
        .now_us = now_us,
    };

    if (f->cancelled || (f->pipe != NULL && body_pipe_has_head(f->pipe)) ||
        deadline_is_callers(f) || scheduler_is_rejecting(f))
        return -1;
    a.deadline_us = f->flight.is_leader ? coalesce_latest_deadline(f) : deadline_of_total(f);
    a.random = next_random(w);
    return retry_wait_us(&a);
}

/* The attempt is over, or, of a stream, its head has come: is there to be another one? */
static bool
try_schedule_retry(struct engine_worker *w, struct curlew_fetch *f)
{
    int64_t now = clock_us(), wait;

    if (retry_is_scheduled(f)) /* when its head had come; but not for who has no more time */
        return f->failure.error != ERROR_TIMEOUT && f->failure.error != ERROR_CANCELLED;
    wait = retry_wait(w, f, now);
    if (wait < 0 || !fetch_try_hold_body(f))
        return false;
    if (!retry_try_schedule(f, now + wait, scheduler_retry_budget(f), now))
        fetch_release_body(f);
    return retry_is_scheduled(f);
}

/* Forget what came of this attempt, and take another proxy where it was the proxy that failed. */
static int
reset_attempt(struct curlew_fetch *f)
{
    bool change = fetch_proxy_failed(f);

    if (f->sent_error == ERROR_NONE && transfer_was_sent(f))
        f->sent_error = f->failure.error != ERROR_NONE ? f->failure.error : ERROR_RECV_FAILED;
    response_reader_reset(f);
    f->new_connection = f->failure.error != ERROR_NONE;
    f->failure = (struct failure){ 0 };
    return change ? prepare_next_proxy(f) : 0;
}

/* Followers that have no time for another attempt get what alone they would have got. */
static void
finish_followers(struct engine_worker *w, struct curlew_fetch *leader, int64_t until_us)
{
    struct curlew_fetch *follower;
    struct link taken;

    coalesce_take_impatient(leader, until_us, &taken);
    while ((follower = coalesce_next_follower(leader, &taken)) != NULL)
        finish(w, follower);
}

/* Until it is time for another attempt; its slot is free meanwhile. */
static void
wait_retry(struct engine_worker *w, struct curlew_fetch *f)
{
    release_slot(w, f);
    cool_down_proxy(f);
    finish_followers(w, f, f->retry.at_us);
    if (reset_attempt(f) != 0) {
        finish(w, f);
        return;
    }
    timer_set(&w->loop.timers, &f->timer, f->retry.at_us);
    fetch_set_state(f, FETCH_BACKOFF);
    list_append(&w->backoff, &f->link);
}

/* -- the start of a hop -------------------------------------------------- */

static enum head_verdict
on_headers(struct curlew_fetch *f, bool is_challenge)
{
    scheduler_record_head(f);
    if (is_challenge)
        return HEAD_FINAL;
    if (redirect_follows(f) && redirect_try_keep_body(f))
        return HEAD_REDIRECT;
    if (f->pipe == NULL) /* once it is over: its origin's circuit may have opened then */
        return HEAD_FINAL;
    return try_schedule_retry(f->worker, f) ? HEAD_RETRY : HEAD_FINAL;
}

static void
on_connected(struct curlew_fetch *f)
{
    deadline_start_idle(f);
    arm_timer(f->worker, f);
}

static int
launch(struct engine_worker *w, struct curlew_fetch *f)
{
    static const struct response_events events = { on_headers, on_connected, on_pause, on_lost };
    struct transfer_setup setup = { &w->pool, &w->tickets, &w->dns_limit, &events,
                                    "curlew/" CURLEW_VERSION };

    if (handle_cache_acquire(&w->handles, f) != 0 || transfer_prepare(f, &setup) != 0)
        return -1;
    f->new_connection = false; /* a redirect may use the connections there are */
    return transfer_start(f, w->multi);
}

/* It has its slot. */
static void
start_hop(struct engine_worker *w, struct curlew_fetch *f)
{
    int64_t now = clock_us();

    f->response.timing.queue += (double)(now - f->posted_us) / US_PER_SECOND;
    f->started_us = f->active_us = now;
    f->sent = f->unsent = 0;
    f->paused = false;
    f->connecting = true;
    retry_start_attempt(f, scheduler_retry_budget(f), now);
    if (launch(w, f) != 0) {
        transfer_release(f);
        release_slot(w, f);
        finish(w, f);
        /* No fetch_flow_dispatch(), which would recurse: each turn of the thread ends with one. */
        return;
    }
    fetch_set_state(f, FETCH_RUNNING);
    list_append(&w->running, &f->link);
    arm_timer(w, f);
}

/* -- single flight --------------------------------------------------------- */

/* A leader is done, on this thread: so are its followers. */
static void
leader_done(struct curlew_fetch *leader, void *arg)
{
    finish_followers(arg, leader, INT64_MAX);
    fetch_unref(leader);
}

/* As a follower of a transfer under way, or of a new one. */
static void
join(struct engine_worker *w, struct curlew_fetch *f)
{
    struct curlew_fetch *leader = coalesce_join(&w->coalesce, f);

    if (f->failure.error != ERROR_NONE) {
        finish(w, f);
        return;
    }
    arm_timer(w, f);
    if (leader == NULL)
        return;
    leader->done = leader_done;
    leader->arg = w;
    leader->worker = w;
    fetch_set_state(leader, FETCH_POSTED);
    fetch_flow_start(w, leader);
}

/* -- the start of a fetch -------------------------------------------------- */

void
fetch_flow_dispatch(struct engine_worker *w)
{
    struct curlew_fetch *f;

    while ((f = scheduler_next(&w->scheduler)) != NULL) {
        start_hop(w, f);
        if (!loop_has_time(&w->loop)) {
            loop_wake(&w->loop); /* each turn of the thread ends with a dispatch */
            return;
        }
    }
}

static void
enqueue(struct engine_worker *w, struct curlew_fetch *f)
{
    struct curlew_fetch *evicted;
    enum scheduled scheduled;

    fetch_set_state(f, FETCH_QUEUED);
    scheduled = scheduler_enqueue(&w->scheduler, f, &evicted);
    if (evicted != NULL)
        finish(w, evicted);
    if (scheduled == SCHEDULED_NOW)
        start_hop(w, f);
    else if (scheduled == SCHEDULED_QUEUED)
        arm_timer(w, f);
    else
        finish(w, f);
}

static void
begin(struct engine_worker *w, struct curlew_fetch *f)
{
    if (f->cancelled || w->engine->stopping)
        failure_set(&f->failure, ERROR_CANCELLED, "the client disconnected or cancelled it");
    if (f->upload != NULL)
        upload_pipe_check(f->upload, &f->failure);
    if (f->failure.error != ERROR_NONE)
        finish(w, f);
    else if (coalesce_is_wanted(f))
        join(w, f);
    else
        enqueue(w, f);
}

void
fetch_flow_start(struct engine_worker *w, struct curlew_fetch *f)
{
    timer_init(&f->timer, on_timeout);
    timer_init(&f->pause_timer, on_pause_timeout);
    begin(w, f);
}

/* -- the end of a hop ---------------------------------------------------- */

/* To the next origin of a chain of redirects; on this one the fetch keeps its slot. */
static void
next_hop(struct engine_worker *w, struct curlew_fetch *f)
{
    struct engine_worker *other = worker_inbox_for(w->engine, f->url.origin);

    f->posted_us = clock_us();
    if (scheduler_try_keep_slot(f)) {
        start_hop(w, f);
        return;
    }
    release_slot(w, f);
    if (other == w || f->flight.is_leader) { /* a leader stays where its followers are */
        begin(w, f);
        return;
    }
    timer_clear(&w->loop.timers, &f->timer);
    transfer_leave_thread(f);
    worker_inbox_post(other, f);
}

/* The circuit of f's origin has opened: whoever waits for it need not wait any longer. */
static void
reject_waiting(struct engine_worker *w, struct curlew_fetch *f)
{
    struct curlew_fetch *victim;

    while ((victim = scheduler_reject_waiting(&w->scheduler, f)) != NULL)
        finish(w, victim);
}

/* The connection that libcurl chose was no good, and the hop may take another one. */
static bool
try_restart(struct engine_worker *w, struct curlew_fetch *f, CURLcode result)
{
    bool may_wait_on = transfer_may_wait_on(f, result, &w->running);

    if (!may_wait_on && !sent_once_try_again(f, result) && !transfer_must_restart(f))
        return false;
    connection_pool_hop_done(f);
    if (may_wait_on)
        return transfer_wait_on(f, w->multi) == 0;
    return transfer_restart(f, w->multi) == 0;
}

static void
finish_hop(struct engine_worker *w, struct curlew_fetch *f, CURLcode result)
{
    enum redirect next = REDIRECT_NONE;

    result = upload_reader_result(f, result);
    dns_limit_hop_done(f, &w->dns_limit, result);
    if (result == CURLE_OK)
        response_reader_finish(f); /* or its failure is set */
    curl_result_apply(f, result);
    extract(w, f);
    if (f->failure.error != ERROR_NONE)
        transfer_stop_sharing(f, &w->running, w->multi);
    scheduler_count_hop(f);
    if (scheduler_record_outcome(f))
        reject_waiting(w, f);
    if (f->failure.error == ERROR_NONE) {
        f->sent_error = ERROR_NONE; /* answered; a redirect is another request */
        next = redirect_next(f);
    }
    if (next == REDIRECT_FOLLOW) {
        next_hop(w, f);
    } else if (try_schedule_retry(w, f)) {
        wait_retry(w, f);
    } else {
        release_slot(w, f);
        finish(w, f);
    }
}

void
fetch_flow_reap(struct engine_worker *w)
{
    struct curlew_fetch *f;
    CURLcode result;

    while ((f = transfer_next_finished(&w->pool, w->multi, &result)) != NULL)
        if (!try_restart(w, f, result))
            finish_hop(w, f, result);
    fetch_flow_dispatch(w);
}

/* -- the caller leaves ---------------------------------------------------- */

void
fetch_flow_cancel(struct engine_worker *w, struct curlew_fetch *f)
{
    if (f->worker == w && f->state >= FETCH_QUEUED && f->state < FETCH_DONE) {
        failure_set(&f->failure, ERROR_CANCELLED, "the client disconnected or cancelled it");
        fail(w, f);
    }
    fetch_unref(f);
}

static void
cancel_list(struct engine_worker *w, struct link *list)
{
    while (!list_empty(list))
        fetch_flow_cancel(w, fetch_ref(container_of(list->next, struct curlew_fetch, link)));
}

void
fetch_flow_cancel_all(struct engine_worker *w)
{
    struct curlew_fetch *f;

    while ((f = scheduler_any_waiting(&w->scheduler)) != NULL)
        fetch_flow_cancel(w, fetch_ref(f));
    cancel_list(w, &w->running);
    cancel_list(w, &w->backoff);
}
