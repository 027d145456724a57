/* test_origin_queue.c - one session's fetches toward one origin, and what is remembered of both. */

#include "scheduler/origin_queue.h"

#include "support/fetch_fixture.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fetch_fixture t;

static void
setup(void)
{
    fetch_fixture_open(&t);
}

static void
teardown(void)
{
    fetch_fixture_close(&t);
}

TestSuite(origin_queue, .init = setup, .fini = teardown, .timeout = 20);

static struct timer_heap timers;
static struct origin_queues all;

static void
on_due(struct timer *timer)
{
    (void)timer;
}

static struct origin_queue *
get(const char *origin)
{
    return origin_queue_get(&all, t.session->state, origin);
}

static void
open_queues(void)
{
    timer_heap_init(&timers);
    origin_queue_init_all(&all, &t.stats, &timers, on_due);
}

static void
close_queues(void)
{
    origin_queue_destroy_all(&all);
    cr_assert_eq(all.count, 0);
}

Test(origin_queue, there_is_one_for_each_session_and_origin)
{
    struct session_state other = *t.session->state;
    struct origin_queue *q, *of_other;

    open_queues();
    other.id = t.session->state->id + 1;
    q = get("http://a.test:80");
    of_other = origin_queue_get(&all, &other, "http://a.test:80");
    cr_assert_eq(get("http://a.test:80"), q);
    cr_assert_neq(get("http://b.test:80"), q);
    cr_assert_neq(of_other, q);
    cr_assert_eq(of_other->origin, q->origin, "the retry budget is the origin's");
    cr_assert_eq(all.count, 3);
    close_queues();
}

Test(origin_queue, the_longest_that_waits_is_found)
{
    struct origin_queue *a, *b;

    open_queues();
    a = get("http://a.test:80");
    b = get("http://b.test:80");
    cr_assert_null(origin_queue_longest(&all));
    a->queued = 1;
    origin_queue_counts_changed(a);
    b->queued = 2;
    origin_queue_counts_changed(b);
    cr_assert_eq(origin_queue_longest(&all), b);
    b->queued = 0;
    b->running = 2;
    origin_queue_counts_changed(b);
    cr_assert_eq(origin_queue_longest(&all), a);
    close_queues();
}

Test(origin_queue, idle_ones_that_remember_nothing_are_freed_past_their_number)
{
    char origin[64];

    open_queues();
    for (int i = 0; i < ORIGIN_QUEUE_IDLE_MAX + 100; i++) {
        snprintf(origin, sizeof origin, "http://h%d.test:80", i);
        origin_queue_counts_changed(get(origin));
    }
    cr_assert_leq(all.count, ORIGIN_QUEUE_IDLE_MAX + 1);
    close_queues();
}

/* A queue whose circuit is open, of a fetch that has ended. */
static struct origin_queue *
open_circuit(struct curlew_fetch *f)
{
    struct origin_queue *q = get("http://a.test:80");

    t.session->settings.breaker = (struct circuit_breaker_config){ 1, 60 };
    cr_assert(origin_queue_try_admit(q, f));
    origin_queue_add(q, 0, 1);
    cr_assert(origin_queue_record(q, f, OUTCOME_FAILURE));
    origin_queue_add(q, 0, -1);
    origin_queue_counts_changed(q);
    return q;
}

Test(origin_queue, an_idle_one_forgets_the_breaker_of_a_session_that_has_none_any_more)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");
    struct origin_queue *q;

    open_queues();
    q = open_circuit(f);
    origin_queue_forget_breakers(&all, t.config);
    cr_assert(origin_queue_is_rejecting(q), "the session is still there");
    t.session->state->id += 1000; /* as if it had been removed and made again */
    origin_queue_forget_breakers(&all, t.config);
    cr_assert_not(origin_queue_is_rejecting(q));
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_OPEN]), 0);

    q = open_circuit(f);
    t.session->settings.breaker.failures = 0;
    origin_queue_forget_breakers(&all, t.config);
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_OPEN]), 0);
    close_queues();
    fetch_unref(f);
}

Test(origin_queue, a_busy_one_does_so_when_its_last_fetch_ends)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");
    struct origin_queue *q;

    open_queues();
    q = open_circuit(f);
    origin_queue_add(q, 0, 2);
    t.session->state->removed = true;
    origin_queue_add(q, 0, -1);
    origin_queue_record(q, f, OUTCOME_IGNORED);
    cr_assert(origin_queue_is_rejecting(q));
    origin_queue_add(q, 0, -1);
    origin_queue_record(q, f, OUTCOME_IGNORED);
    cr_assert_not(origin_queue_is_rejecting(q));
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_OPEN]), 0);
    close_queues();
    fetch_unref(f);
}

Test(origin_queue, a_failing_origin_opens_the_circuit_which_rejects_with_its_name)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");
    struct origin_queue *q;

    open_queues();
    t.session->settings.breaker = (struct circuit_breaker_config){ 2, 60 };
    q = get("http://a.test:80");
    cr_assert(origin_queue_try_admit(q, f));
    cr_assert_not(origin_queue_record(q, f, OUTCOME_FAILURE));
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_CLOSED]), 1);
    cr_assert(origin_queue_record(q, f, OUTCOME_FAILURE), "the second opens it");
    cr_assert(origin_queue_is_rejecting(q));
    cr_assert_not(origin_queue_try_admit(q, f));
    cr_assert_eq(f->failure.error, ERROR_ORIGIN_UNAVAILABLE);
    cr_assert_str_eq(f->failure.detail,
                     "http://a.test:80 keeps failing: its circuit breaker is open");
    cr_assert_geq(f->failure.retry_after, 59);
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_CLOSED]), 0);
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_OPEN]), 1);
    cr_assert_eq(counter_read(&t.stats.breakers_opened), 1);
    close_queues();
    cr_assert_eq(counter_read(&t.stats.breakers[CIRCUIT_OPEN]), 0, "freed, so no more counted");
    fetch_unref(f);
}
