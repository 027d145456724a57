/* course.c - the way of a fetch through a session thread, from its arrival to its end. */

#include "session/course.h"

#include "fetch/deadline.h"
#include "fetch/fetch_stats.h"
#include "fetch/retry.h"
#include "session/coalesce.h"
#include "session/engine.h"
#include "session/pause.h"
#include "session/redirect.h"
#include "transfer/response_reader.h"
#include "transfer/transfer.h"
#include "util/clock.h"

static void start(struct multi *m, struct curlew_fetch *f);
static void try_again(struct multi *m, struct curlew_fetch *f);

/* -- the end of a fetch -------------------------------------------------- */

static void
bench_proxy(struct curlew_fetch *f)
{
    if (fetch_proxy_failed(f))
        proxy_pool_cool_down(f->session->proxy_pool, f->request.proxy, clock_us());
}

/* Off this thread: from here on the fetch belongs to whoever submitted it. */
static void
finish(struct multi *m, struct curlew_fetch *f)
{
    timer_clear(&m->loop.timers, &f->timer);
    coalesce_forget(f);
    retry_forgo(f);
    bench_proxy(f);
    handle_cache_release(&m->handles, f);
    fetch_stats_record(m->engine, f);
    if (f->failure.error != ERROR_NONE)
        response_reader_drop_body(f); /* nobody reads it, and it counts among the buffered bytes */
    f->state = FETCH_DONE;
    f->home = NULL;
    f->done(f, f->arg);
}

/* Everybody who can start, starts. */
void
course_pump(struct multi *m)
{
    struct curlew_fetch *f;

    while ((f = scheduler_next(&m->scheduler)) != NULL)
        start(m, f);
}

static void
leave(struct multi *m, struct curlew_fetch *f)
{
    scheduler_release(&m->scheduler, f);
    engine_place_freed(m->engine, m);
}

/* -- a fetch's own clock ------------------------------------------------- */

void
course_arm(struct multi *m, struct curlew_fetch *f)
{
    int64_t at = deadline_of(f);

    if (at != INT64_MAX)
        timer_set(&m->loop.timers, &f->timer, at);
}

/* Take a fetch that runs off libcurl; it keeps its places. */
static void
extract(struct multi *m, struct curlew_fetch *f)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    timer_clear(&m->loop.timers, &f->pace);
    curl_easy_getinfo(f->easy, CURLINFO_ACTIVESOCKET, &fd);
    curl_multi_remove_handle(m->handle, f->easy);
    list_remove(&f->place);
    connection_pool_hop_done(f);
    connection_pool_mark_idle(&m->pool, fd, &m->running);
    transfer_release(f);
}

/* Take a fetch that does not run out of where it is. */
static void
withdraw(struct multi *m, struct curlew_fetch *f)
{
    if (f->state == FETCH_WAITING)
        scheduler_withdraw(&m->scheduler, f);
    else if (f->state == FETCH_RESTING)
        list_remove(&f->place);
    else if (coalesce_leave(f))
        course_cancel(m, fetch_ref(f->host));
}

/* Take a fetch that runs away from libcurl, which is not done with it. */
static void
break_off(struct multi *m, struct curlew_fetch *f)
{
    uint64_t conn_id = f->conn_id;

    /* Closed at once, if it is alone on it. */
    curl_easy_setopt(f->easy, CURLOPT_FORBID_REUSE, 1L);
    course_conclude(m, f, CURLE_ABORTED_BY_CALLBACK);
    pause_nudge(m, conn_id);
}

void
course_fail(struct multi *m, struct curlew_fetch *f)
{
    if (f->state == FETCH_RUNNING) {
        break_off(m, f);
    } else {
        withdraw(m, f);
        finish(m, f);
    }
    course_pump(m);
}

static void
time_out(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, timer);
    struct multi *m = f->home;

    if (f->state == FETCH_RESTING)
        try_again(m, f);
    else if (deadline_check(f) == 0)
        course_arm(m, f);
    else
        course_fail(m, f);
}

/* -- the start of a hop -------------------------------------------------- */

static int
launch(struct multi *m, struct curlew_fetch *f)
{
    if (handle_cache_acquire(&m->handles, f) != 0 ||
        dns_limit_check(&m->dns_limit, f, f->started_us) != 0 || transfer_prepare(f) != 0)
        return -1;
    if (curl_multi_add_handle(m->handle, f->easy) != CURLM_OK)
        return failure_set(&f->failure, ERROR_INTERNAL, "libcurl took no further transfer");
    return 0;
}

/* It has its places. */
static void
start(struct multi *m, struct curlew_fetch *f)
{
    int64_t now = clock_us();

    f->response.timing.queue += (double)(now - f->posted_us) / US_PER_SECOND;
    f->started_us = f->active_us = now;
    f->sent = 0;
    f->conn_id = 0;
    f->paused = false;
    retry_count(f, now);
    if (launch(m, f) != 0) {
        transfer_release(f);
        leave(m, f);
        finish(m, f);
        return; /* course_pump() would recurse: a turn of the thread ends with course_pump() */
    }
    f->state = FETCH_RUNNING;
    list_append(&m->running, &f->place);
    course_arm(m, f);
}

/* A host is done, on this thread: so are its guests. */
static void
host_done(struct curlew_fetch *host, void *arg)
{
    struct multi *m = arg;
    struct curlew_fetch *guest;

    while ((guest = coalesce_next_guest(host)) != NULL)
        finish(m, guest);
    fetch_unref(host);
}

/* As a guest of a transfer under way, or of a new one. */
static void
share(struct multi *m, struct curlew_fetch *f)
{
    struct curlew_fetch *host = coalesce_join(&m->coalesce, f);

    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    course_arm(m, f);
    if (host == NULL)
        return;
    host->done = host_done;
    host->arg = m;
    host->home = m;
    course_set_out(host);
    course_begin(m, host);
}

void
course_begin(struct multi *m, struct curlew_fetch *f)
{
    struct curlew_fetch *evicted;
    enum scheduled scheduled;

    if (f->cancelled || m->engine->stopping)
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    if (coalesce_wanted(f)) {
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
        course_arm(m, f);
    else
        finish(m, f);
}

/* To the next origin of a chain of redirects; on this one the fetch keeps its place. */
static void
hop(struct multi *m, struct curlew_fetch *f)
{
    struct multi *other = engine_thread_of(m->engine, f->url.origin);

    f->posted_us = clock_us();
    if (scheduler_try_keep_slot(f)) {
        start(m, f);
        return;
    }
    leave(m, f);
    if (other == m || f->is_host) { /* a host stays where its guests are */
        course_begin(m, f);
        return;
    }
    timer_clear(&m->loop.timers, &f->timer);
    multi_post(other, f);
}

/* -- the end of a hop ---------------------------------------------------- */

/* Until it is time for another try; its places are free meanwhile. */
static void
rest(struct multi *m, struct curlew_fetch *f)
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
    list_append(&m->resting, &f->place);
}

static void
try_again(struct multi *m, struct curlew_fetch *f)
{
    list_remove(&f->place);
    f->posted_us = clock_us();
    course_begin(m, f);
}

/* Whoever waits for an origin whose breaker has opened need not wait any longer. */
static void
turn_away(struct multi *m, struct origin_queue *l)
{
    struct curlew_fetch *f;

    while ((f = scheduler_reject_waiting(&m->scheduler, l)) != NULL)
        finish(m, f);
}

void
course_conclude(struct multi *m, struct curlew_fetch *f, CURLcode result)
{
    enum redirect next = REDIRECT_NONE;

    if (result == CURLE_OPERATION_TIMEDOUT || result == CURLE_ABORTED_BY_CALLBACK)
        dns_limit_record_abandoned(&m->dns_limit, f, clock_us());
    curl_result_apply(f, result);
    extract(m, f);
    if (scheduler_record_outcome(f))
        turn_away(m, f->queue);
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
course_cancel(struct multi *m, struct curlew_fetch *f)
{
    if (f->home == m && f->state >= FETCH_WAITING && f->state < FETCH_DONE) {
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
        course_fail(m, f);
    }
    fetch_unref(f);
}

void
course_cancel_all(struct multi *m)
{
    struct curlew_fetch *f;

    while ((f = scheduler_any_waiting(&m->scheduler)) != NULL)
        course_cancel(m, fetch_ref(f));
    while (!list_empty(&m->running))
        course_cancel(m, fetch_ref(container_of(m->running.next, struct curlew_fetch, place)));
    while (!list_empty(&m->resting))
        course_cancel(m, fetch_ref(container_of(m->resting.next, struct curlew_fetch, place)));
}

/* -- in and out of the thread -------------------------------------------- */

void
course_set_out(struct curlew_fetch *f)
{
    timer_init(&f->timer, time_out); /* neither is set: no thread has the fetch just now */
    timer_init(&f->pace, pause_is_over);
}
