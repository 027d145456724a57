/*
 * scheduler_fixture.h - what the tests of the scheduler share: fetches that only queue.
 */
#ifndef SUPPORT_SCHEDULER_FIXTURE_H
#define SUPPORT_SCHEDULER_FIXTURE_H

#include "scheduler/scheduler.h"

struct scheduler_fixture {
    struct engine_stats stats;
    atomic_int in_flight_max;
    struct config_snapshot *config;
    struct timer_heap timers;
    struct scheduler scheduler;
};

/* Two sessions, "default" and "other", with the same limits. */
void sched_open(struct scheduler_fixture *t, int in_flight, int queue, int per_session,
                int per_origin);

/* Nothing waits or runs any more. */
void sched_close(struct scheduler_fixture *t);

/* Any text. */
void sched_set_origin(struct curlew_fetch *f, const char *origin);

struct curlew_fetch *sched_fetch(struct scheduler_fixture *t, const char *session,
                                 const char *origin);

/* A new fetch, which must be let in so. */
struct curlew_fetch *sched_arrive(struct scheduler_fixture *t, const char *session,
                                  const char *origin, enum scheduled wanted);

/* Likewise, of the default session. */
struct curlew_fetch *sched_start(struct scheduler_fixture *t, const char *origin);
struct curlew_fetch *sched_wait(struct scheduler_fixture *t, const char *origin);

void sched_end(struct scheduler_fixture *t, struct curlew_fetch *f);

/* The fetch that starts next is this one. */
void sched_next_is(struct scheduler_fixture *t, struct curlew_fetch *f);
void sched_next_is_nobody(struct scheduler_fixture *t);

#endif
