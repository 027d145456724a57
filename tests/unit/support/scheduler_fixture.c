/* scheduler_fixture.c - fetches that only queue: what the tests of the scheduler share. */

#include "support/scheduler_fixture.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

void
sched_open(struct scheduler_fixture *t, int in_flight, int queue, int per_session, int per_origin)
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
    t->config = config_snapshot_new(&s, NULL, &err);
    cr_assert_not_null(t->config);
    session_config_destroy(&both[0]);
    session_config_destroy(&both[1]);
    egress_config_destroy(&s.egress);
    timer_heap_init(&t->timers);
    scheduler_init(&t->scheduler, &t->stats, &t->in_flight_max, &t->timers);
}

void
sched_set_origin(struct curlew_fetch *f, const char *origin)
{
    url_destroy(&f->url);
    f->url.origin = f->url.block = strdup(origin);
}

struct curlew_fetch *
sched_fetch(struct scheduler_fixture *t, const char *session, const char *origin)
{
    struct curlew_fetch *f = fetch_new();

    f->stats = &t->stats;
    f->config = config_snapshot_ref(t->config);
    f->session = config_snapshot_find_session(t->config, session);
    sched_set_origin(f, origin);
    return f;
}

struct curlew_fetch *
sched_arrive(struct scheduler_fixture *t, const char *session, const char *origin,
             enum scheduled wanted)
{
    struct curlew_fetch *f = sched_fetch(t, session, origin), *evicted;

    cr_assert_eq(scheduler_enqueue(&t->scheduler, f, &evicted), wanted, "%s", origin);
    cr_assert_null(evicted);
    return f;
}

struct curlew_fetch *
sched_start(struct scheduler_fixture *t, const char *origin)
{
    return sched_arrive(t, "default", origin, SCHEDULED_NOW);
}

struct curlew_fetch *
sched_wait(struct scheduler_fixture *t, const char *origin)
{
    return sched_arrive(t, "default", origin, SCHEDULED_QUEUED);
}

void
sched_end(struct scheduler_fixture *t, struct curlew_fetch *f)
{
    scheduler_release(&t->scheduler, f);
    fetch_unref(f);
}

void
sched_next_is(struct scheduler_fixture *t, struct curlew_fetch *f)
{
    struct curlew_fetch *next = scheduler_next(&t->scheduler);

    cr_assert_not_null(next, "nobody, not %s", f->url.origin);
    cr_assert_eq(next, f, "%s, not %s", next->url.origin, f->url.origin);
}

void
sched_next_is_nobody(struct scheduler_fixture *t)
{
    cr_assert_null(scheduler_next(&t->scheduler));
}

void
sched_close(struct scheduler_fixture *t)
{
    cr_assert_eq(counter_read(&t->stats.in_flight), 0);
    cr_assert_eq(counter_read(&t->stats.queued), 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(counter_read(&t->config->sessions[i]->state->in_flight), 0);
    cr_assert_null(scheduler_any_waiting(&t->scheduler));
    scheduler_destroy(&t->scheduler);
    config_snapshot_unref(t->config);
    runner_check_leaks();
}
