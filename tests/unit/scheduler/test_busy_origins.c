/* test_busy_origins.c - the busiest origins, and those with an open circuit breaker. */

#include "scheduler/busy_origins.h"

#include "support/fetch_fixture.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct fetch_fixture t;
static struct timer_heap timers;
static struct origin_queues all;
static struct busy_origins busy;

static void
on_due(struct timer *timer)
{
    (void)timer;
}

static void
setup(void)
{
    fetch_fixture_open(&t);
    timer_heap_init(&timers);
    origin_queue_init_all(&all, &t.stats, &timers, on_due);
    busy = (struct busy_origins){ 0 };
}

static void
teardown(void)
{
    origin_queue_destroy_all(&all);
    fetch_fixture_close(&t);
}

TestSuite(busy_origins, .init = setup, .fini = teardown, .timeout = 20);

/* The queue of an origin with this number, after so many hops. */
static struct origin_queue *
origin(int number, int hops)
{
    char name[64];
    struct origin_queue *q;

    snprintf(name, sizeof name, "http://h%d.test:80", number);
    q = origin_queue_get(&all, t.session->state, name);
    for (int i = 0; i < hops; i++)
        origin_queue_count_hop(q, false, clock_us());
    return q;
}

static const struct busy_origin *
look(int i)
{
    busy = (struct busy_origins){ 0 };
    busy_origins_add(&busy, &all);
    return &busy.busiest.origins[i];
}

Test(busy_origins, none_are_none)
{
    look(0);
    cr_assert_eq(busy.known, 0);
    cr_assert_eq(busy.busiest.count, 0);
    cr_assert_eq(busy.open.count, 0);
}

Test(busy_origins, the_busiest_come_first_and_no_more_than_fit)
{
    for (int i = 0; i < 3 * BUSY_ORIGINS_MAX; i++)
        origin(i, (i * 7) % (3 * BUSY_ORIGINS_MAX));
    look(0);
    cr_assert_eq(busy.known, 3 * BUSY_ORIGINS_MAX);
    cr_assert_eq(busy.busiest.count, BUSY_ORIGINS_MAX);
    for (int i = 0; i < BUSY_ORIGINS_MAX; i++)
        cr_assert_eq(busy.busiest.origins[i].hops, 3 * BUSY_ORIGINS_MAX - 1 - i);
}

Test(busy_origins, fetches_that_wait_or_run_make_an_origin_busy)
{
    struct origin_queue *q = origin(1, 0);

    origin(2, 3);
    origin_queue_add(q, 2, 3);
    cr_assert_str_eq(look(0)->name, "http://h1.test:80");
    cr_assert_eq(look(0)->queued, 2);
    cr_assert_eq(look(0)->in_flight, 3);
    origin_queue_add(q, -2, -3);
    cr_assert_str_eq(look(0)->name, "http://h2.test:80");
}

Test(busy_origins, failures_and_time_are_counted)
{
    struct origin_queue *q = origin(1, 1);

    origin_queue_count_hop(q, true, clock_us() - 2 * (int64_t)US_PER_SECOND);
    cr_assert_eq(look(0)->failures, 1);
    cr_assert_eq(look(0)->hops, 2);
    cr_assert(look(0)->seconds >= 2 && look(0)->seconds < 3);
}

/* As if time passed: marks are made a minute apart. */
static void
pass_a_minute(void)
{
    all.mark_us -= BUSY_ORIGINS_MARK_US;
    all.older_mark_us -= BUSY_ORIGINS_MARK_US;
}

Test(busy_origins, what_was_busy_long_ago_gives_way)
{
    struct origin_queue *old = origin(1, 500);

    cr_assert_gt(look(0)->per_second, 0);
    for (int i = 0; i < 2; i++) {
        pass_a_minute();
        look(0);
    }
    origin(2, 6);
    cr_assert_str_eq(look(0)->name, "http://h2.test:80");
    cr_assert_float_eq(look(0)->per_second, 0.1, 0.01); /* 6 in the last minute */
    cr_assert_eq(look(1)->per_second, 0);
    cr_assert_eq(look(1)->hops, 500);
    cr_assert_eq(counter_read(&old->origin->figures.hops), 500);
}

Test(busy_origins, open_breakers_are_listed_and_closed_ones_are_not)
{
    struct circuit_breaker_config config = { .failures = 1, .open_seconds = 60 };
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://h1.test/");
    struct origin_queue *q = origin(1, 0);

    origin(2, 9);
    t.session->settings.breaker = config;
    cr_assert(origin_queue_try_admit(q, f));
    cr_assert(origin_queue_record(q, f, OUTCOME_FAILURE));
    look(0);
    cr_assert_eq(busy.open.count, 1);
    cr_assert_str_eq(busy.open.origins[0].name, "http://h1.test:80");
    cr_assert_eq(busy.open.origins[0].breakers_open, 1);
    q->breaker.next_us = 0;
    origin_queue_tick(q); /* half-open still counts */
    look(0);
    cr_assert_eq(busy.open.count, 1);
    cr_assert(origin_queue_try_admit(q, f));
    cr_assert_not(origin_queue_record(q, f, OUTCOME_SUCCESS));
    look(0);
    cr_assert_eq(busy.open.count, 0);
    fetch_unref(f);
}

Test(busy_origins, a_long_name_is_cut)
{
    char name[BUSY_ORIGINS_NAME_SIZE + 50];

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    origin_queue_get(&all, t.session->state, name);
    cr_assert_eq(strlen(look(0)->name), BUSY_ORIGINS_NAME_SIZE - 1);
}

static void *
look_often(void *arg)
{
    struct busy_origins b;

    (void)arg;
    for (int i = 0; i < 300; i++) {
        b = (struct busy_origins){ 0 };
        busy_origins_add(&b, &all);
    }
    return NULL;
}

/* Origins come and are forgotten while another thread looks. */
Test(busy_origins, another_thread_may_look_at_any_time)
{
    pthread_t looker;

    cr_assert_eq(pthread_create(&looker, NULL, look_often, NULL), 0);
    for (int i = 0; i < 20000; i++)
        origin_queue_counts_changed(origin(i, 1));
    pthread_join(looker, NULL);
    look(0);
    cr_assert_leq(busy.known, ORIGIN_QUEUE_IDLE_MAX + 1);
}
