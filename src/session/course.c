/* course.c - the way of a fetch through a session thread, from its arrival to its end. */

#include "session/course.h"

#include "base/clock.h"
#include "session/collect.h"
#include "session/deadline.h"
#include "session/engine.h"
#include "session/redirect.h"
#include "session/retry.h"
#include "session/transfer.h"

static void start(struct multi *m, struct curlew_fetch *f);
static void try_again(struct multi *m, struct curlew_fetch *f);

/* -- the end of a fetch -------------------------------------------------- */

static void
count_fetch(struct multi *m, struct curlew_fetch *f)
{
    struct engine_stats *s = &m->engine->stats;
    struct response *r = &f->response;

    r->timing.total = (double)(clock_us() - f->submitted_us) / US_PER_SECOND;
    counter_add(&f->session->state->outcomes[f->failure.error], 1);
    counter_add(&s->bytes_received, r->body_bytes);
    counter_add(&s->bytes_sent, r->bytes_sent);
    histogram_observe(&s->queue_seconds, r->timing.queue);
    histogram_observe(&s->fetch_seconds, r->timing.total);
    if (r->timing.first_byte > 0)
        histogram_observe(&s->first_byte_seconds, r->timing.first_byte);
}

/* Nobody reads what there was of a failed response, and it counts among the buffered bytes. */
static void
drop_failed_body(struct curlew_fetch *f)
{
    if (f->failure.error == ERROR_NONE)
        return;
    counter_add(&f->engine->stats.buffered, -f->buffered);
    f->buffered = 0;
    buffer_free(&f->response.body);
}

/* Off this thread: from here on the fetch belongs to whoever submitted it. */
static void
finish(struct multi *m, struct curlew_fetch *f)
{
    timer_clear(&m->loop.timers, &f->timer);
    retry_forgo(f);
    handles_return(&m->handles, f);
    count_fetch(m, f);
    drop_failed_body(f);
    f->state = FETCH_DONE;
    f->home = NULL;
    f->done(f, f->arg);
}

/* Everybody who can start, starts. */
void
course_pump(struct multi *m)
{
    struct curlew_fetch *f;

    while ((f = admission_next(&m->admission)) != NULL)
        start(m, f);
}

static void
leave(struct multi *m, struct curlew_fetch *f)
{
    admission_leave(&m->admission, f);
    engine_place_freed(m->engine, m);
}

/* -- a fetch's own clock ------------------------------------------------- */

static void
arm(struct multi *m, struct curlew_fetch *f)
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
    pool_hop_over(f);
    pool_settle(&m->pool, fd, &m->running);
    transfer_release(f);
}

static void
fail(struct multi *m, struct curlew_fetch *f)
{
    if (f->state == FETCH_RUNNING) {
        course_conclude(m, f, CURLE_ABORTED_BY_CALLBACK);
    } else {
        if (f->state == FETCH_WAITING)
            admission_withdraw(&m->admission, f);
        else
            list_remove(&f->place);
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
    else if (deadline_judge(f) == 0)
        arm(m, f);
    else
        fail(m, f);
}

/* -- the start of a hop -------------------------------------------------- */

static int
launch(struct multi *m, struct curlew_fetch *f)
{
    if (handles_lend(&m->handles, f) != 0 || transfer_prepare(f) != 0)
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
    f->socket = -1;
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
    arm(m, f);
}

void
course_begin(struct multi *m, struct curlew_fetch *f)
{
    struct curlew_fetch *evicted;
    enum admitted admitted;

    if (f->cancelled || m->engine->stopping)
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
    if (f->failure.error != ERROR_NONE) {
        finish(m, f);
        return;
    }
    f->state = FETCH_WAITING;
    admitted = admission_arrive(&m->admission, f, &evicted);
    if (evicted != NULL)
        finish(m, evicted);
    if (admitted == ADMITTED_NOW)
        start(m, f);
    else if (admitted == ADMITTED_LATER)
        arm(m, f);
    else
        finish(m, f);
}

/* To the next origin of a chain of redirects; on this one the fetch keeps its place. */
static void
hop(struct multi *m, struct curlew_fetch *f)
{
    struct multi *other = engine_thread_of(m->engine, f->url.origin);

    f->posted_us = clock_us();
    if (admission_stays(f)) {
        start(m, f);
        return;
    }
    leave(m, f);
    if (other == m) {
        course_begin(m, f);
        return;
    }
    timer_clear(&m->loop.timers, &f->timer);
    multi_post(other, f);
}

/* -- the end of a hop ---------------------------------------------------- */

/* The places are free meanwhile, and what came of this try is forgotten. */
static void
rest(struct multi *m, struct curlew_fetch *f)
{
    leave(m, f);
    collect_forget(f);
    f->fresh = f->failure.error != ERROR_NONE;
    f->failure = (struct failure){ 0 };
    if (timer_set(&m->loop.timers, &f->timer, f->again_us) != 0) {
        failure_set(&f->failure, ERROR_INTERNAL, "out of memory");
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
turn_away(struct multi *m, struct lane *l)
{
    struct curlew_fetch *f;

    while ((f = admission_turn_away(&m->admission, l)) != NULL)
        finish(m, f);
}

void
course_conclude(struct multi *m, struct curlew_fetch *f, CURLcode result)
{
    enum redirect next = REDIRECT_NONE;

    transfer_conclude(f, result);
    extract(m, f);
    if (admission_note(f))
        turn_away(m, f->lane);
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

/* -- pauses and the caller ---------------------------------------------- */

void
course_pause(struct curlew_fetch *f, int64_t until_us)
{
    struct multi *m = f->home;

    f->paused = true;
    if (until_us != COURSE_UNTIL_RESUMED)
        timer_set(&m->loop.timers, &f->pace, until_us);
}

static void
go_on(struct multi *m, struct curlew_fetch *f)
{
    f->paused = false;
    f->active_us = clock_us();
    arm(m, f);
    curl_easy_pause(f->easy, CURLPAUSE_CONT); /* may deliver at once; f stays until multi_reap() */
    multi_reap(m);
}

static void
resume(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, pace);

    go_on(f->home, f);
}

void
course_resume(struct multi *m, struct curlew_fetch *f)
{
    if (f->home == m && f->state == FETCH_RUNNING && f->paused && f->pace.place == 0)
        go_on(m, f);
    fetch_unref(f);
}

void
course_cancel(struct multi *m, struct curlew_fetch *f)
{
    if (f->home == m && f->state >= FETCH_WAITING && f->state < FETCH_DONE) {
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
        fail(m, f);
    }
    fetch_unref(f);
}

void
course_cancel_all(struct multi *m)
{
    struct curlew_fetch *f;

    while ((f = admission_waiting(&m->admission)) != NULL)
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
    timer_init(&f->pace, resume);
}
