/* test_scheduler_limits.c - tokens and breakers: who waits for time, and who is refused. */

#include "scheduler/scheduler.h"

#include "support/scheduler_fixture.h"

#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#define PLENTY 1000

static struct scheduler_fixture t;

static void
open_with(double rate, int burst, int failures, double open_seconds)
{
    sched_open(&t, PLENTY * 10, PLENTY, PLENTY * 10, PLENTY);
    for (int i = 0; i < 2; i++) {
        struct session_config *s = &t.config->sessions[i]->settings;

        s->rate_limit = (struct rate_limit){ .rate = rate, .burst = burst };
        s->breaker = (struct circuit_breaker_config){ failures, open_seconds };
    }
}

/* What the thread's loop would do: sleep until the next timer, and fire it. */
static void
sleep_until_due(void)
{
    int64_t at = timer_heap_next(&t.timers), left = at - clock_us();

    cr_assert_neq(at, INT64_MAX, "nobody waits for time");
    if (left > 0)
        nanosleep(&(struct timespec){ left / US_PER_SECOND, left % US_PER_SECOND * 1000 }, NULL);
    while (clock_us() < at)
        ;
    timer_heap_fire(&t.timers, clock_us());
}

static void
refused(const char *session, const char *origin)
{
    struct curlew_fetch *f = sched_arrive(&t, session, origin, SCHEDULED_REJECTED);

    cr_assert_eq(f->failure.error, ERROR_ORIGIN_UNAVAILABLE);
    cr_assert_geq(f->failure.retry_after, 1);
    cr_assert_not_null(strstr(f->failure.detail, origin), "%s", f->failure.detail);
    fetch_unref(f);
}

/* A fetch that runs ends so; true: that has opened its breaker. */
static bool
ends_with(struct curlew_fetch *f, enum error error, int status)
{
    bool opened;

    f->failure.error = error;
    f->response.head.status = status;
    opened = scheduler_record_outcome(f);
    sched_end(&t, f);
    return opened;
}

/* -- tokens --------------------------------------------------------------- */

Test(scheduler_limits, a_queue_without_a_token_waits_for_its_time)
{
    struct curlew_fetch *f[3];

    open_with(100, 1, 0, 0);
    f[0] = sched_start(&t, "a");
    f[1] = sched_wait(&t, "a");
    f[2] = sched_wait(&t, "a");
    sched_next_is_nobody(&t);
    cr_assert_leq(timer_heap_next(&t.timers), clock_us() + 10 * US_PER_MS);
    sleep_until_due();
    sched_next_is(&t, f[1]);
    sched_next_is_nobody(&t);
    sleep_until_due();
    sched_next_is(&t, f[2]);
    for (int i = 0; i < 3; i++)
        sched_end(&t, f[i]);
    cr_assert_eq(timer_heap_next(&t.timers), INT64_MAX, "with nobody waiting nothing is timed");
    sched_close(&t);
}

Test(scheduler_limits, another_queue_is_not_held_up)
{
    struct curlew_fetch *a1, *a2, *b1, *o1;

    open_with(1, 1, 0, 0);
    a1 = sched_start(&t, "a");
    a2 = sched_wait(&t, "a");
    b1 = sched_start(&t, "b");
    o1 = sched_arrive(&t, "other", "a", SCHEDULED_NOW);
    sched_end(&t, a1);
    sched_next_is_nobody(&t);
    scheduler_withdraw(&t.scheduler, a2);
    cr_assert_eq(timer_heap_next(&t.timers), INT64_MAX, "who has left is not waited for");
    fetch_unref(a2);
    sched_end(&t, b1);
    sched_end(&t, o1);
    sched_close(&t);
}

Test(scheduler_limits, where_there_is_no_slot_no_token_is_taken)
{
    struct curlew_fetch *x, *a1, *a2;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    t.config->sessions[0]->settings.rate_limit = (struct rate_limit){ .rate = 0.001, .burst = 2 };
    x = sched_arrive(&t, "other", "x", SCHEDULED_NOW);
    a1 = sched_wait(&t, "a");
    for (int i = 0; i < 10; i++)
        sched_next_is_nobody(&t);
    sched_end(&t, x);
    sched_next_is(&t, a1);
    sched_end(&t, a1);
    a2 = sched_start(&t, "a"); /* the second of the two */
    sched_end(&t, a2);
    sched_close(&t);
}

Test(scheduler_limits, a_hop_on_the_same_origin_needs_a_token_to_stay)
{
    struct curlew_fetch *f;

    open_with(0.001, 2, 0, 0);
    f = sched_start(&t, "a");
    cr_assert(scheduler_try_keep_slot(f));
    cr_assert_not(scheduler_try_keep_slot(f), "both tokens are taken");
    sched_end(&t, f);
    sched_close(&t);
}

Test(scheduler_limits, a_fetch_at_a_later_hop_goes_before_those_at_their_first)
{
    struct curlew_fetch *first, *second, *hop, *evicted;

    open_with(1000, 1, 0, 0);
    first = sched_start(&t, "a");
    second = sched_wait(&t, "a");
    hop = sched_fetch(&t, "default", "a");
    hop->redirects = 1;
    cr_assert_eq(scheduler_enqueue(&t.scheduler, hop, &evicted), SCHEDULED_QUEUED);
    sleep_until_due();
    sched_next_is(&t, hop);
    sleep_until_due();
    sched_next_is(&t, second);
    sched_end(&t, first);
    sched_end(&t, second);
    sched_end(&t, hop);
    sched_close(&t);
}

static struct curlew_fetch *
wait_at_second_hop(void)
{
    struct curlew_fetch *f = sched_fetch(&t, "default", "a"), *evicted;

    f->redirects = 1;
    cr_assert_eq(scheduler_enqueue(&t.scheduler, f, &evicted), SCHEDULED_QUEUED);
    return f;
}

/* Those that keep arriving would otherwise leave the first one waiting until its timeout. */
Test(scheduler_limits, of_those_at_a_later_hop_the_oldest_comes_first)
{
    struct curlew_fetch *running, *first_hop, *hops[4];
    int order[] = { 0, 2, 3 };

    sched_open(&t, 1, 100, 100, 100);
    running = sched_start(&t, "a");
    first_hop = sched_wait(&t, "a");
    hops[0] = wait_at_second_hop();
    hops[1] = wait_at_second_hop();
    hops[2] = wait_at_second_hop();
    scheduler_withdraw(&t.scheduler, hops[1]);
    hops[3] = wait_at_second_hop();
    for (int i = 0; i < 3; i++) {
        sched_end(&t, running);
        sched_next_is(&t, running = hops[order[i]]);
    }
    sched_end(&t, running);
    sched_next_is(&t, first_hop);
    running = wait_at_second_hop(); /* none is before it any more */
    sched_end(&t, first_hop);
    sched_next_is(&t, running);
    sched_end(&t, running);
    fetch_unref(hops[1]);
    sched_close(&t);
}

/* -- breakers -------------------------------------------------------------- */

static int64_t
count_of(enum circuit_breaker_state state)
{
    return counter_read(&t.stats.breakers[state]);
}

Test(scheduler_limits, an_open_breaker_refuses_who_comes)
{
    open_with(0, 1, 2, 60);
    cr_assert_not(ends_with(sched_start(&t, "a"), ERROR_CONNECT_FAILED, 0));
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 1);
    cr_assert(ends_with(sched_start(&t, "a"), ERROR_NONE, 503));
    refused("default", "a");
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 0);
    cr_assert_eq(count_of(CIRCUIT_OPEN), 1);
    cr_assert_eq(counter_read(&t.stats.breakers_opened), 1);
    sched_end(&t, sched_start(&t, "b"));
    sched_end(&t, sched_arrive(&t, "other", "a", SCHEDULED_NOW));
    sched_close(&t);
    cr_assert_eq(count_of(CIRCUIT_OPEN), 0, "what is forgotten is not counted");
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 0);
}

Test(scheduler_limits, who_waits_for_an_origin_is_sent_away_when_its_breaker_opens)
{
    struct curlew_fetch *f, *w, *waiting[3];

    open_with(0.001, 1, 1, 60);
    f = sched_start(&t, "a");
    for (int i = 0; i < 3; i++)
        waiting[i] = sched_wait(&t, "a");
    f->failure.error = ERROR_TIMEOUT;
    cr_assert(scheduler_record_outcome(f));
    for (int i = 0; i < 3; i++) {
        w = scheduler_reject_waiting(&t.scheduler, f);
        cr_assert_eq(w, waiting[i]);
        cr_assert_eq(w->failure.error, ERROR_ORIGIN_UNAVAILABLE);
        fetch_unref(w);
    }
    cr_assert_null(scheduler_reject_waiting(&t.scheduler, f));
    sched_end(&t, f);
    sched_close(&t);
}

Test(scheduler_limits, its_time_over_the_gauge_says_half_open_and_one_may_pass)
{
    struct curlew_fetch *probe;

    open_with(0, 1, 1, 0.02);
    cr_assert(ends_with(sched_start(&t, "a"), ERROR_DNS_FAILED, 0));
    sleep_until_due();
    cr_assert_eq(count_of(CIRCUIT_HALF_OPEN), 1);
    cr_assert_eq(timer_heap_next(&t.timers), INT64_MAX, "then it waits for somebody to come");
    probe = sched_start(&t, "a");
    cr_assert(probe->ticket.probe);
    refused("default", "a");
    cr_assert_not(ends_with(probe, ERROR_NONE, 200));
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 1);
    sched_end(&t, sched_start(&t, "a"));
    sched_close(&t);
}

Test(scheduler_limits, a_probe_that_has_to_wait_and_leaves_makes_room_for_another)
{
    struct curlew_fetch *f;

    open_with(0.001, 2, 1, 0.001);
    cr_assert(ends_with(sched_start(&t, "a"), ERROR_RECV_FAILED, 0));
    sleep_until_due();
    f = sched_start(&t, "a"); /* the probe, on the second token */
    cr_assert_not(ends_with(f, ERROR_CANCELLED, 0));
    f = sched_wait(&t, "a");
    cr_assert(f->ticket.probe);
    refused("default", "a");
    scheduler_withdraw(&t.scheduler, f);
    cr_assert_not(f->ticket.probe);
    fetch_unref(f);
    f = sched_wait(&t, "a");
    cr_assert(f->ticket.probe);
    scheduler_withdraw(&t.scheduler, f);
    fetch_unref(f);
    sched_close(&t);
}

Test(scheduler_limits, a_probe_that_finds_no_place_in_the_queue_makes_room_for_another)
{
    struct curlew_fetch *x, *f;

    sched_open(&t, 1, 0, PLENTY, PLENTY);
    t.config->sessions[0]->settings.breaker = (struct circuit_breaker_config){ 1, 0.001 };
    cr_assert(ends_with(sched_start(&t, "a"), ERROR_RECV_FAILED, 0));
    sleep_until_due();
    x = sched_arrive(&t, "other", "x", SCHEDULED_NOW);
    f = sched_arrive(&t, "default", "a", SCHEDULED_REJECTED);
    cr_assert_eq(f->failure.error, ERROR_OVERLOADED);
    cr_assert_not(f->ticket.probe);
    fetch_unref(f);
    sched_end(&t, x);
    f = sched_start(&t, "a");
    cr_assert(f->ticket.probe);
    sched_end(&t, f);
    sched_close(&t);
}

Test(scheduler_limits, a_hop_does_not_stay_with_an_origin_whose_breaker_has_opened)
{
    struct curlew_fetch *f, *g;

    open_with(0, 1, 1, 60);
    f = sched_start(&t, "a");
    g = sched_start(&t, "a");
    cr_assert(ends_with(g, ERROR_NONE, 500));
    cr_assert_not(scheduler_try_keep_slot(f));
    sched_end(&t, f);
    sched_close(&t);
}

/* -- what is remembered ------------------------------------------------------ */

static void
pass_by(int n)
{
    char origin[32];

    for (int i = 0; i < n; i++) {
        snprintf(origin, sizeof origin, "http://h%d:80", i);
        sched_end(&t, sched_arrive(&t, "other", origin, SCHEDULED_NOW));
    }
}

Test(scheduler_limits, an_open_breaker_and_an_empty_bucket_outlive_a_thousand_other_origins)
{
    struct curlew_fetch *f;

    open_with(0.001, 1, 1, 60);
    t.config->sessions[1]->settings.rate_limit.rate = 0;
    cr_assert(ends_with(sched_start(&t, "a"), ERROR_NONE, 500));
    sched_end(&t, sched_start(&t, "b"));
    pass_by(5000);
    cr_assert_leq(t.scheduler.queues.count, ORIGIN_QUEUE_IDLE_MAX + 3);
    refused("default", "a");
    f = sched_wait(&t, "b");
    scheduler_withdraw(&t.scheduler, f);
    fetch_unref(f);
    sched_close(&t);
}

Test(scheduler_limits, memory_is_bounded_whatever_there_is_to_remember)
{
    open_with(0.0001, 1, 1, 3600);
    t.config->sessions[1]->settings.rate_limit.rate = 0.0001;
    pass_by(ORIGIN_QUEUE_MAX + 5000);
    cr_assert_leq(t.scheduler.queues.count, ORIGIN_QUEUE_MAX + 1);
    cr_assert_geq(t.scheduler.queues.count, ORIGIN_QUEUE_MAX - 1);
    cr_assert_eq(count_of(CIRCUIT_CLOSED), (int64_t)t.scheduler.queues.count);
    sched_close(&t);
}

Test(scheduler_limits, sessions_toward_one_origin_share_its_retry_budget_and_nothing_else)
{
    struct curlew_fetch *f, *g;

    open_with(0.001, 1, 0, 0);
    f = sched_start(&t, "a");
    g = sched_arrive(&t, "other", "a", SCHEDULED_NOW);
    cr_assert_neq(f->ticket.queue, g->ticket.queue);
    cr_assert_eq(f->ticket.queue->origin, g->ticket.queue->origin);
    sched_end(&t, f);
    sched_end(&t, g);
    sched_close(&t);
}

Test(scheduler_limits, a_session_of_the_same_name_or_place_in_memory_is_another_one)
{
    struct curlew_fetch *f;

    open_with(0.001, 1, 0, 0);
    sched_end(&t, sched_start(&t, "a"));
    t.config->sessions[0]->state->id += 1000; /* as if it had been removed and made again */
    f = sched_start(&t, "a");
    sched_end(&t, f);
    sched_close(&t);
}
