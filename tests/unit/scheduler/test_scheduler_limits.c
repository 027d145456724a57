/* test_scheduler_limits.c - tokens and breakers: who waits for time, and who is refused. */

#include "support/scheduler_fixture.h"

#include "util/clock.h"

#include <time.h>

#define PLENTY 1000

static void
open_with(double rate, int burst, int failures, double open_seconds)
{
    open_scheduler(PLENTY * 10, PLENTY, PLENTY * 10, PLENTY);
    for (int i = 0; i < 2; i++) {
        struct session_config *s = &config->sessions[i]->settings;

        s->rate_limit = (struct rate_limit){ .rate = rate, .burst = burst };
        s->breaker = (struct circuit_breaker_config){ failures, open_seconds };
    }
}

/* What the thread's loop would do: sleep until the next timer, and fire it. */
static void
sleep_until_due(void)
{
    int64_t at = timer_heap_next(&timers), left = at - clock_us();

    cr_assert_neq(at, INT64_MAX, "nobody waits for time");
    if (left > 0)
        nanosleep(&(struct timespec){ left / US_PER_SECOND, left % US_PER_SECOND * 1000 }, NULL);
    while (clock_us() < at)
        ;
    timer_heap_fire(&timers, clock_us());
}

static void
refused(const char *session, const char *origin)
{
    struct curlew_fetch *f = arrives(session, origin, SCHEDULED_REJECTED);

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
    ends(f);
    return opened;
}

/* -- tokens --------------------------------------------------------------- */

Test(scheduler_limits, a_lane_without_a_token_waits_for_its_time)
{
    struct curlew_fetch *f[3];

    open_with(100, 1, 0, 0);
    f[0] = starts("a");
    f[1] = waits("a");
    f[2] = waits("a");
    next_is_nobody();
    cr_assert_leq(timer_heap_next(&timers), clock_us() + 10 * US_PER_MS);
    sleep_until_due();
    next_is(f[1]);
    next_is_nobody();
    sleep_until_due();
    next_is(f[2]);
    for (int i = 0; i < 3; i++)
        ends(f[i]);
    cr_assert_eq(timer_heap_next(&timers), INT64_MAX, "with nobody waiting nothing is timed");
    close_scheduler();
}

Test(scheduler_limits, another_lane_is_not_held_up)
{
    struct curlew_fetch *a1, *a2, *b1, *o1;

    open_with(1, 1, 0, 0);
    a1 = starts("a");
    a2 = waits("a");
    b1 = starts("b");
    o1 = arrives("other", "a", SCHEDULED_NOW);
    ends(a1);
    next_is_nobody();
    scheduler_withdraw(&a, a2);
    cr_assert_eq(timer_heap_next(&timers), INT64_MAX, "who has left is not waited for");
    fetch_unref(a2);
    ends(b1);
    ends(o1);
    close_scheduler();
}

Test(scheduler_limits, where_there_is_no_place_no_token_is_taken)
{
    struct curlew_fetch *x, *a1, *a2;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    config->sessions[0]->settings.rate_limit = (struct rate_limit){ .rate = 0.001, .burst = 2 };
    x = arrives("other", "x", SCHEDULED_NOW);
    a1 = waits("a");
    for (int i = 0; i < 10; i++)
        next_is_nobody();
    ends(x);
    next_is(a1);
    ends(a1);
    a2 = starts("a"); /* the second of the two */
    ends(a2);
    close_scheduler();
}

Test(scheduler_limits, a_hop_on_the_same_origin_needs_a_token_to_stay)
{
    struct curlew_fetch *f;

    open_with(0.001, 2, 0, 0);
    f = starts("a");
    cr_assert(scheduler_try_keep_slot(f));
    cr_assert_not(scheduler_try_keep_slot(f), "both tokens are taken");
    ends(f);
    close_scheduler();
}

Test(scheduler_limits, a_fetch_at_a_later_hop_goes_before_those_at_their_first)
{
    struct curlew_fetch *first, *second, *hop, *evicted;

    open_with(1000, 1, 0, 0);
    first = starts("a");
    second = waits("a");
    hop = fetch_of("default", "a");
    hop->redirects = 1;
    cr_assert_eq(scheduler_enqueue(&a, hop, &evicted), SCHEDULED_QUEUED);
    sleep_until_due();
    next_is(hop);
    sleep_until_due();
    next_is(second);
    ends(first);
    ends(second);
    ends(hop);
    close_scheduler();
}

/* -- breakers -------------------------------------------------------------- */

static int64_t
count_of(enum circuit_breaker_state state)
{
    return counter_read(&stats.breakers[state]);
}

Test(scheduler_limits, an_open_breaker_refuses_who_comes)
{
    open_with(0, 1, 2, 60);
    cr_assert_not(ends_with(starts("a"), ERROR_CONNECT_FAILED, 0));
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 1);
    cr_assert(ends_with(starts("a"), ERROR_NONE, 503));
    refused("default", "a");
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 0);
    cr_assert_eq(count_of(CIRCUIT_OPEN), 1);
    cr_assert_eq(counter_read(&stats.breakers_opened), 1);
    ends(starts("b"));
    ends(arrives("other", "a", SCHEDULED_NOW));
    close_scheduler();
    cr_assert_eq(count_of(CIRCUIT_OPEN), 0, "what is forgotten is not counted");
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 0);
}

Test(scheduler_limits, who_waits_for_an_origin_is_sent_away_when_its_breaker_opens)
{
    struct curlew_fetch *f, *w, *waiting[3];

    open_with(0.001, 1, 1, 60);
    f = starts("a");
    for (int i = 0; i < 3; i++)
        waiting[i] = waits("a");
    f->failure.error = ERROR_TIMEOUT;
    cr_assert(scheduler_record_outcome(f));
    for (int i = 0; i < 3; i++) {
        w = scheduler_reject_waiting(&a, f);
        cr_assert_eq(w, waiting[i]);
        cr_assert_eq(w->failure.error, ERROR_ORIGIN_UNAVAILABLE);
        fetch_unref(w);
    }
    cr_assert_null(scheduler_reject_waiting(&a, f));
    ends(f);
    close_scheduler();
}

Test(scheduler_limits, its_time_over_the_gauge_says_half_open_and_one_may_pass)
{
    struct curlew_fetch *probe;

    open_with(0, 1, 1, 0.02);
    cr_assert(ends_with(starts("a"), ERROR_DNS_FAILED, 0));
    sleep_until_due();
    cr_assert_eq(count_of(CIRCUIT_HALF_OPEN), 1);
    cr_assert_eq(timer_heap_next(&timers), INT64_MAX, "then it waits for somebody to come");
    probe = starts("a");
    cr_assert(probe->ticket.probe);
    refused("default", "a");
    cr_assert_not(ends_with(probe, ERROR_NONE, 200));
    cr_assert_eq(count_of(CIRCUIT_CLOSED), 1);
    ends(starts("a"));
    close_scheduler();
}

Test(scheduler_limits, a_probe_that_has_to_wait_and_leaves_makes_room_for_another)
{
    struct curlew_fetch *f;

    open_with(0.001, 2, 1, 0.001);
    cr_assert(ends_with(starts("a"), ERROR_RECV_FAILED, 0));
    sleep_until_due();
    f = starts("a"); /* the probe, on the second token */
    cr_assert_not(ends_with(f, ERROR_CANCELLED, 0));
    f = waits("a");
    cr_assert(f->ticket.probe);
    refused("default", "a");
    scheduler_withdraw(&a, f);
    cr_assert_not(f->ticket.probe);
    fetch_unref(f);
    f = waits("a");
    cr_assert(f->ticket.probe);
    scheduler_withdraw(&a, f);
    fetch_unref(f);
    close_scheduler();
}

Test(scheduler_limits, a_probe_that_finds_no_place_in_the_queue_makes_room_for_another)
{
    struct curlew_fetch *x, *f;

    open_scheduler(1, 0, PLENTY, PLENTY);
    config->sessions[0]->settings.breaker = (struct circuit_breaker_config){ 1, 0.001 };
    cr_assert(ends_with(starts("a"), ERROR_RECV_FAILED, 0));
    sleep_until_due();
    x = arrives("other", "x", SCHEDULED_NOW);
    f = arrives("default", "a", SCHEDULED_REJECTED);
    cr_assert_eq(f->failure.error, ERROR_OVERLOADED);
    cr_assert_not(f->ticket.probe);
    fetch_unref(f);
    ends(x);
    f = starts("a");
    cr_assert(f->ticket.probe);
    ends(f);
    close_scheduler();
}

Test(scheduler_limits, a_hop_does_not_stay_with_an_origin_whose_breaker_has_opened)
{
    struct curlew_fetch *f, *g;

    open_with(0, 1, 1, 60);
    f = starts("a");
    g = starts("a");
    cr_assert(ends_with(g, ERROR_NONE, 500));
    cr_assert_not(scheduler_try_keep_slot(f));
    ends(f);
    close_scheduler();
}

/* -- what is remembered ------------------------------------------------------ */

static void
pass_by(int n)
{
    char origin[32];

    for (int i = 0; i < n; i++) {
        snprintf(origin, sizeof origin, "http://h%d:80", i);
        ends(arrives("other", origin, SCHEDULED_NOW));
    }
}

Test(scheduler_limits, an_open_breaker_and_an_empty_bucket_outlive_a_thousand_other_origins)
{
    struct curlew_fetch *f;

    open_with(0.001, 1, 1, 60);
    config->sessions[1]->settings.rate_limit.rate = 0;
    cr_assert(ends_with(starts("a"), ERROR_NONE, 500));
    ends(starts("b"));
    pass_by(5000);
    cr_assert_leq(a.queues.count, ORIGIN_QUEUE_IDLE_MAX + 3);
    refused("default", "a");
    f = waits("b");
    scheduler_withdraw(&a, f);
    fetch_unref(f);
    close_scheduler();
}

Test(scheduler_limits, memory_is_bounded_whatever_there_is_to_remember)
{
    open_with(0.0001, 1, 1, 3600);
    config->sessions[1]->settings.rate_limit.rate = 0.0001;
    pass_by(ORIGIN_QUEUE_MAX + 5000);
    cr_assert_leq(a.queues.count, ORIGIN_QUEUE_MAX + 1);
    cr_assert_geq(a.queues.count, ORIGIN_QUEUE_MAX - 1);
    cr_assert_eq(count_of(CIRCUIT_CLOSED), (int64_t)a.queues.count);
    close_scheduler();
}

Test(scheduler_limits, sessions_toward_one_origin_share_its_site_and_nothing_else)
{
    struct curlew_fetch *f, *g;

    open_with(0.001, 1, 0, 0);
    f = starts("a");
    g = arrives("other", "a", SCHEDULED_NOW);
    cr_assert_neq(f->ticket.queue, g->ticket.queue);
    cr_assert_eq(f->ticket.queue->origin, g->ticket.queue->origin);
    ends(f);
    ends(g);
    close_scheduler();
}

Test(scheduler_limits, a_session_of_the_same_name_or_place_in_memory_is_another_one)
{
    struct curlew_fetch *f;

    open_with(0.001, 1, 0, 0);
    ends(starts("a"));
    config->sessions[0]->state->id += 1000; /* as if it had been removed and made again */
    f = starts("a");
    ends(f);
    close_scheduler();
}
