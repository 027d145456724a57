/*
 * scheduler_fixture.h - what the tests of the scheduler share: fetches that only queue.
 */
#ifndef SUPPORT_SCHEDULER_FIXTURE_H
#define SUPPORT_SCHEDULER_FIXTURE_H

#include "scheduler/scheduler.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <string.h>

static struct engine_stats stats;
static atomic_int in_flight_max;
static struct config_snapshot *config;
static struct timer_heap timers;
static struct scheduler a;

/* Two sessions, "default" and "other", with the same limits. */
static inline void
open_scheduler(int in_flight, int queue, int per_session, int per_origin)
{
    struct session_config both[2];
    struct engine_config s;
    struct failure err = { 0 };

    engine_config_init(&s);
    s.limits.in_flight = in_flight;
    s.limits.queue = queue;
    session_config_destroy(&s.sessions[0]);
    free(s.sessions);
    for (int i = 0; i < 2; i++) {
        session_config_init(&both[i]);
        both[i].name = strdup(i == 0 ? "default" : "other");
        both[i].max_in_flight = per_session;
        both[i].max_per_origin = per_origin;
    }
    s.sessions = both;
    s.session_count = 2;
    config = config_snapshot_new(&s, NULL, &err);
    cr_assert_not_null(config);
    session_config_destroy(&both[0]);
    session_config_destroy(&both[1]);
    egress_config_destroy(&s.egress);
    timer_heap_init(&timers);
    scheduler_init(&a, &stats, &in_flight_max, &timers);
}

static inline struct curlew_fetch *
fetch_of(const char *session, const char *origin)
{
    struct curlew_fetch *f = fetch_new();

    f->stats = &stats;
    f->config = config_snapshot_ref(config);
    f->session = config_snapshot_find_session(config, session);
    f->url.origin = strdup(origin);
    return f;
}

/* Arrives, and must be let in so. */
static inline struct curlew_fetch *
arrives(const char *session, const char *origin, enum scheduled wanted)
{
    struct curlew_fetch *f = fetch_of(session, origin), *evicted;

    cr_assert_eq(scheduler_enqueue(&a, f, &evicted), wanted, "%s", origin);
    cr_assert_null(evicted);
    return f;
}

static inline struct curlew_fetch *
starts(const char *origin)
{
    return arrives("default", origin, SCHEDULED_NOW);
}

static inline struct curlew_fetch *
waits(const char *origin)
{
    return arrives("default", origin, SCHEDULED_QUEUED);
}

static inline void
ends(struct curlew_fetch *f)
{
    scheduler_release(&a, f);
    fetch_unref(f);
}

/* It is this one's turn now. */
static inline void
next_is(struct curlew_fetch *f)
{
    struct curlew_fetch *next = scheduler_next(&a);

    cr_assert_not_null(next, "nobody, not %s", f->url.origin);
    cr_assert_eq(next, f, "%s, not %s", next->url.origin, f->url.origin);
}

static inline void
next_is_nobody(void)
{
    cr_assert_null(scheduler_next(&a));
}

/* Nothing waits or runs any more. */
static inline void
close_scheduler(void)
{
    cr_assert_eq(counter_read(&stats.in_flight), 0);
    cr_assert_eq(counter_read(&stats.queued), 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(counter_read(&config->sessions[i]->state->in_flight), 0);
    cr_assert_null(scheduler_any_waiting(&a));
    scheduler_destroy(&a);
    timer_heap_destroy(&timers);
    config_snapshot_unref(config);
    runner_check_leaks();
}

#endif
