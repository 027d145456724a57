/* multi.c - one session thread: one libcurl multi handle, one event loop. */

#include "session/multi.h"

#include "base/clock.h"
#include "base/loop.h"
#include "session/admission.h"
#include "session/engine.h"
#include "session/redirect.h"
#include "session/transfer.h"

#include <stdlib.h>

#define SPARE_MAX       128    /* easy handles kept for the next fetches */
#define CONNECTIONS_MAX 65536L /* the pool bounds idle connections by session, not libcurl */

struct multi {
    struct curlew *engine;
    pthread_t thread;
    struct mailbox inbox, cancels;
    struct loop loop;

    CURLM *handle;
    struct timer curl_timer; /* libcurl's own deadline */
    bool curl_timer_told;    /* libcurl has set it anew since it fired */
    struct pool pool;
    struct admission admission;
    struct link running;
    CURL *spare[SPARE_MAX];
    int spare_count;
};

static void start(struct multi *m, struct curlew_fetch *f);
static void resume(struct timer *t);

struct pool *
multi_pool(struct multi *m)
{
    return &m->pool;
}

/* -- the end of a fetch -------------------------------------------------- */

static void
give_back_easy(struct multi *m, struct curlew_fetch *f)
{
    if (f->easy == NULL)
        return;
    jar_return(f->session->settings.shared_jar ? f->session->state->jar : NULL, f->easy, f->lent,
               &f->cookie_names, &f->response.cookies);
    curl_slist_free_all(f->lent);
    f->lent = NULL;
    curl_easy_reset(f->easy); /* it must not point into the fetch any more */
    if (m->spare_count < SPARE_MAX)
        m->spare[m->spare_count++] = f->easy;
    else
        curl_easy_cleanup(f->easy);
    f->easy = NULL;
}

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

/* Off this thread: from here on the fetch belongs to whoever submitted it. */
static void
finish(struct multi *m, struct curlew_fetch *f)
{
    timer_clear(&m->loop.timers, &f->timer);
    give_back_easy(m, f);
    count_fetch(m, f);
    f->state = FETCH_DONE;
    f->home = NULL;
    f->done(f, f->arg);
}

/* Everybody who can start, starts. */
static void
pump(struct multi *m)
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

static int64_t
deadline(const struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    int64_t at = INT64_MAX, idle;

    if (r->total_timeout_ms > 0)
        at = f->submitted_us + r->total_timeout_ms * US_PER_MS;
    if (r->idle_timeout_ms > 0 && f->state == FETCH_RUNNING) {
        idle = f->active_us + r->idle_timeout_ms * US_PER_MS;
        at = idle < at ? idle : at;
    }
    return at;
}

static void
arm(struct multi *m, struct curlew_fetch *f)
{
    int64_t at = deadline(f);

    if (at != INT64_MAX)
        timer_set(&m->loop.timers, &f->timer, at);
}

/* Take a fetch that waits or runs out of where it is; its places become free. */
static void
extract(struct multi *m, struct curlew_fetch *f)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    if (f->state == FETCH_WAITING) {
        admission_withdraw(&m->admission, f);
        return;
    }
    timer_clear(&m->loop.timers, &f->pace);
    curl_easy_getinfo(f->easy, CURLINFO_ACTIVESOCKET, &fd);
    curl_multi_remove_handle(m->handle, f->easy);
    list_remove(&f->place);
    pool_settle(&m->pool, fd, &m->running);
    transfer_release(f);
}

static void
fail(struct multi *m, struct curlew_fetch *f)
{
    bool ran = f->state == FETCH_RUNNING;

    if (ran)
        transfer_conclude(f, CURLE_ABORTED_BY_CALLBACK);
    extract(m, f);
    if (ran)
        leave(m, f);
    finish(m, f);
    pump(m);
}

static void
time_out(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, timer);
    struct multi *m = f->home;
    const struct request *r = &f->request;

    if (clock_us() < deadline(f)) { /* bytes have come since the timer was set */
        arm(m, f);
        return;
    }
    if (r->total_timeout_ms > 0 &&
        clock_us() >= f->submitted_us + r->total_timeout_ms * US_PER_MS)
        failure_set(&f->failure, ERROR_TIMEOUT, "not done after %g s%s",
                    (double)r->total_timeout_ms / 1000,
                    f->state == FETCH_WAITING ? ", still waiting for its turn" : "");
    else
        failure_set(&f->failure, ERROR_IDLE_TIMEOUT, "no bytes for %g s",
                    (double)r->idle_timeout_ms / 1000);
    fail(m, f);
}

/* -- the start of a hop -------------------------------------------------- */

static CURL *
take_easy(struct multi *m)
{
    return m->spare_count > 0 ? m->spare[--m->spare_count] : curl_easy_init();
}

static int
launch(struct multi *m, struct curlew_fetch *f)
{
    if (f->easy == NULL && (f->easy = take_easy(m)) == NULL)
        return failure_set(&f->failure, ERROR_INTERNAL, "out of memory");
    if (transfer_prepare(f) != 0)
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
    f->socket = -1;
    if (launch(m, f) != 0) {
        transfer_release(f);
        leave(m, f);
        finish(m, f);
        return; /* pump() would recurse: every caller of start() is followed by a turn that pumps */
    }
    f->state = FETCH_RUNNING;
    list_append(&m->running, &f->place);
    arm(m, f);
}

static void
arrive(struct multi *m, struct curlew_fetch *f)
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
    if (admission_fits(f)) {
        start(m, f);
        return;
    }
    leave(m, f);
    if (other == m) {
        arrive(m, f);
        return;
    }
    timer_clear(&m->loop.timers, &f->timer);
    multi_post(other, f);
}

/* -- libcurl ------------------------------------------------------------- */

static void
conclude(struct multi *m, struct curlew_fetch *f, CURLcode result)
{
    enum redirect next = REDIRECT_NONE;

    transfer_conclude(f, result);
    extract(m, f);
    if (f->failure.error == ERROR_NONE)
        next = redirect_next(f);
    if (next == REDIRECT_FOLLOW) {
        hop(m, f);
        return;
    }
    leave(m, f);
    finish(m, f);
}

static void
reap(struct multi *m)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(m->handle, &left)) != NULL) {
        struct curlew_fetch *f = NULL;
        CURLcode result = msg->data.result; /* msg dies with its handle */

        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f);
        conclude(m, f, result);
    }
    pump(m);
}

void
multi_pause(struct curlew_fetch *f, int64_t until_us)
{
    timer_set(&((struct multi *)f->home)->loop.timers, &f->pace, until_us);
}

static void
resume(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, pace);
    struct multi *m = f->home;

    f->active_us = clock_us();
    curl_easy_pause(f->easy, CURLPAUSE_CONT); /* may deliver at once; f itself stays until reap() */
    reap(m);
}

static void
on_ready(struct pool *p, int fd, int curl_events)
{
    struct multi *m = container_of(p, struct multi, pool);
    int running;

    curl_multi_socket_action(m->handle, fd, curl_events, &running);
    reap(m);
}

/*
 * libcurl calls this only when its deadline changes.  So a deadline that we
 * met a little early, by libcurl's clock, must be met again.
 */
static void
curl_timed_out(struct timer *t)
{
    struct multi *m = container_of(t, struct multi, curl_timer);
    int running;

    m->curl_timer_told = false;
    curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
    if (!m->curl_timer_told)
        timer_set(&m->loop.timers, t, clock_us() + US_PER_MS);
    reap(m);
}

static int
on_timer(CURLM *handle, long timeout_ms, void *arg)
{
    struct multi *m = arg;

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
take_inbox(struct multi *m)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&m->inbox); one != NULL; one = next) {
        next = one->next; /* arrive() may hand the fetch on before we advance */
        arrive(m, container_of(one, struct curlew_fetch, mail));
    }
}

static void
cancel(struct multi *m, struct curlew_fetch *f)
{
    if (f->home == m && (f->state == FETCH_WAITING || f->state == FETCH_RUNNING)) {
        failure_set(&f->failure, ERROR_CANCELLED, "the caller left");
        fail(m, f);
    }
    fetch_unref(f);
}

static void
take_cancels(struct multi *m)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&m->cancels); one != NULL; one = next) {
        next = one->next;
        cancel(m, container_of(one, struct curlew_fetch, cancel_mail));
    }
}

static void
cancel_all(struct multi *m)
{
    struct curlew_fetch *f;

    while ((f = admission_waiting(&m->admission)) != NULL)
        cancel(m, fetch_ref(f));
    while (!list_empty(&m->running))
        cancel(m, fetch_ref(container_of(m->running.next, struct curlew_fetch, place)));
}

static void *
run(void *arg)
{
    struct multi *m = arg;

    while (!m->engine->stopping) {
        loop_turn(&m->loop);
        take_inbox(m);
        take_cancels(m);
        pump(m);
    }
    take_inbox(m);
    take_cancels(m);
    cancel_all(m);
    return NULL;
}

/* -- everyone else ------------------------------------------------------- */

void
multi_post(struct multi *m, struct curlew_fetch *f)
{
    f->state = FETCH_POSTED;
    f->home = m;
    timer_init(&f->timer, time_out); /* neither is set: no thread has the fetch just now */
    timer_init(&f->pace, resume);
    if (mailbox_push(&m->inbox, &f->mail))
        loop_wake(&m->loop);
}

void
multi_cancel(struct multi *m, struct curlew_fetch *f)
{
    if (mailbox_push(&m->cancels, &f->cancel_mail))
        loop_wake(&m->loop);
}

void
multi_wake(struct multi *m)
{
    loop_wake(&m->loop);
}

static int
open_handle(struct multi *m)
{
    if ((m->handle = curl_multi_init()) == NULL)
        return -1;
    pool_init(&m->pool, &m->loop, m->engine, m->handle, on_ready);
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, pool_on_socket);
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, &m->pool);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    return 0;
}

struct multi *
multi_new(struct curlew *engine, struct failure *why)
{
    struct multi *m = calloc(1, sizeof *m);

    if (m == NULL)
        goto no_memory;
    m->engine = engine;
    list_init(&m->running);
    timer_init(&m->curl_timer, curl_timed_out);
    mailbox_init(&m->inbox);
    mailbox_init(&m->cancels);
    admission_init(&m->admission, engine);
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
    pool_destroy(&m->pool);
no_handle:
    loop_destroy(&m->loop);
no_loop:
    mailbox_destroy(&m->inbox);
    mailbox_destroy(&m->cancels);
    free(m);
no_memory:
    failure_set(why, ERROR_INTERNAL, "cannot start a session thread: no memory or no threads left");
    return NULL;
}

void
multi_join(struct multi *m)
{
    loop_wake(&m->loop);
    pthread_join(m->thread, NULL);
}

void
multi_free(struct multi *m)
{
    take_inbox(m); /* a redirect from another thread may have come after the last turn */
    take_cancels(m);
    while (m->spare_count > 0)
        curl_easy_cleanup(m->spare[--m->spare_count]);
    curl_multi_cleanup(m->handle);
    pool_destroy(&m->pool);
    admission_destroy(&m->admission);
    loop_destroy(&m->loop);
    mailbox_destroy(&m->inbox);
    mailbox_destroy(&m->cancels);
    free(m);
}
