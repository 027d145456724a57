/* test_engine.c - the session engine: its threads, its config, and the door for fetches. */

#include "engine/engine.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORIGINS 8

static struct test_origin origins[ORIGINS];
static struct curlew *c;

/* /hop/N goes on to the next origin as /hop/N-1, down to the answer; /hold waits. */
static void
serve(struct seen_request *x)
{
    char field[128];
    int left = strncmp(x->target, "/hop/", 5) == 0 ? atoi(x->target + 5) : 0;
    long here = x->origin - origins;

    if (origin_is(x, "/hold"))
        origin_hold(x);
    snprintf(field, sizeof field, "Location: %s/hop/%d\r\n", origins[(here + 1) % ORIGINS].url,
             left - 1);
    origin_reply(x, left > 0 ? 302 : 200, left > 0 ? field : "", "ok");
}

static void
settings_of(struct engine_config *s, int threads, int in_flight, int queue)
{
    runner_settings(s);
    s->threads = threads;
    s->limits.in_flight = in_flight;
    s->limits.queue = queue;
}

static void
start_engine(int threads, int in_flight, int queue)
{
    struct engine_config s;

    settings_of(&s, threads, in_flight, queue);
    c = runner_engine(&s);
}

static void
setup(void)
{
    for (int i = 0; i < ORIGINS; i++)
        origin_start(&origins[i], "127.0.0.1", serve);
}

static void
teardown(void)
{
    cr_assert_eq(counter_read(&c->stats.in_flight), 0);
    cr_assert_eq(counter_read(&c->stats.queued), 0);
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(engine, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(int origin, const char *path)
{
    return runner_fetch("%s%s", origins[origin].url, path);
}

static void
went_well(struct run *r)
{
    run_await(r);
    cr_assert_str_eq(runner_code(r->fetch), "ok", "%s", curlew_fetch_detail(r->fetch));
    curlew_fetch_free(r->fetch);
}

/* -- threads ------------------------------------------------------------- */

Test(engine, connections_of_an_origin_are_reused_whatever_the_number_of_threads)
{
    start_engine(4, 100, 100);
    for (int i = 0; i < 3 * ORIGINS; i++)
        curlew_fetch_free(runner_do(c, to(i % ORIGINS, "/")));
    for (int i = 0; i < ORIGINS; i++)
        cr_assert_eq(origin_connections(&origins[i]), 1);
}

static void
hop_many(int threads)
{
    static struct run runs[64];

    start_engine(threads, 100, 100);
    for (int i = 0; i < 64; i++)
        run_start(&runs[i], c, to(i % ORIGINS, "/hop/20"));
    for (int i = 0; i < 64; i++) {
        run_await(&runs[i]);
        cr_assert_eq(runs[i].fetch->response.history_count, 20);
        cr_assert_str_eq(runner_code(runs[i].fetch), "ok");
        curlew_fetch_free(runs[i].fetch);
    }
}

Test(engine, redirects_move_between_origins_on_one_thread)
{
    hop_many(1);
}

Test(engine, redirects_move_between_origins_on_several_threads)
{
    hop_many(4);
}

Test(engine, one_place_is_enough_for_chains_that_cross_each_other)
{
    static struct run runs[20];

    start_engine(3, 1, 100);
    for (int i = 0; i < 20; i++)
        run_start(&runs[i], c, to(i % ORIGINS, "/hop/5"));
    for (int i = 0; i < 20; i++)
        went_well(&runs[i]);
}

/* A slot that one thread gives up must wake the thread whose fetch waits for it. */
Test(engine, a_place_freed_on_one_thread_is_taken_on_another)
{
    static struct run runs[400];

    start_engine(4, 2, 1000);
    for (int i = 0; i < 400; i++)
        run_start(&runs[i], c, to(i % ORIGINS, "/"));
    for (int i = 0; i < 400; i++)
        went_well(&runs[i]);
}

Test(engine, a_chain_can_be_cancelled_at_any_hop)
{
    start_engine(4, 100, 100);
    for (int i = 0; i < 100; i++) {
        struct run r;

        run_start(&r, c, to(i % ORIGINS, "/hop/30"));
        usleep((useconds_t)(i * 100));
        if (!r.over)
            curlew_cancel(r.fetch);
        run_await(&r);
        curlew_fetch_free(r.fetch);
    }
}

Test(engine, can_be_freed_while_chains_move_between_its_threads)
{
    for (int round = 0; round < 10; round++) {
        struct run runs[20];

        start_engine(4, 100, 100);
        for (int i = 0; i < 20; i++)
            run_start(&runs[i], c, to(i % ORIGINS, "/hop/30"));
        usleep((useconds_t)(round * 1500));
        curlew_free(c);
        for (int i = 0; i < 20; i++) {
            cr_assert(runs[i].over);
            cr_assert_str_eq(runner_code(runs[i].fetch), "cancelled");
            curlew_fetch_free(runs[i].fetch);
        }
    }
    start_engine(1, 1, 1);
}

/* -- limits -------------------------------------------------------------- */

Test(engine, past_the_queue_a_fetch_comes_back_as_overloaded)
{
    struct run running, waiting;
    struct curlew_fetch *f;

    start_engine(1, 1, 1);
    run_start(&running, c, to(0, "/hold"));
    origin_await_held(&origins[0], 1);
    run_start(&waiting, c, to(0, "/"));
    f = runner_do(c, to(0, "/"));
    cr_assert_str_eq(runner_code(f), "overloaded");
    cr_assert_not_null(strstr(curlew_fetch_detail(f), "limits.queue"));
    cr_assert_eq(counter_read(&c->stats.queued), 1);
    curlew_fetch_free(f);
    origin_release(&origins[0], 1);
    went_well(&running);
    went_well(&waiting);
}

Test(engine, the_one_that_makes_room_is_told)
{
    struct run running, first, second, newcomer;

    start_engine(1, 1, 2);
    run_start(&running, c, to(0, "/hold"));
    origin_await_held(&origins[0], 1);
    run_start(&first, c, to(0, "/"));
    run_start(&second, c, to(0, "/"));
    run_start(&newcomer, c, to(1, "/"));
    run_await(&second);
    cr_assert_str_eq(runner_code(second.fetch), "overloaded");
    curlew_fetch_free(second.fetch);
    origin_release(&origins[0], 1);
    went_well(&running);
    went_well(&first);
    went_well(&newcomer);
}

Test(engine, a_slow_origin_with_a_full_lane_delays_nobody_else)
{
    struct engine_config s;
    struct run slow[10];

    settings_of(&s, 1, 100, 100);
    s.sessions[0].max_per_origin = 2;
    c = runner_engine(&s);
    for (int i = 0; i < 10; i++)
        run_start(&slow[i], c, to(0, "/hold"));
    origin_await_held(&origins[0], 2);
    for (int i = 0; i < 10; i++) {
        struct run quick;

        run_start(&quick, c, to(1, "/"));
        went_well(&quick);
    }
    cr_assert_eq(origin_requests(&origins[0]), 2, "no more than its limit");
    origin_release(&origins[0], 10);
    for (int i = 0; i < 10; i++)
        went_well(&slow[i]);
}

Test(engine, time_in_the_queue_is_told)
{
    struct run first, second;

    start_engine(1, 1, 10);
    run_start(&first, c, to(0, "/hold"));
    origin_await_held(&origins[0], 1);
    run_start(&second, c, to(0, "/"));
    usleep(100000);
    origin_release(&origins[0], 1);
    run_await(&second);
    cr_assert_geq(second.fetch->response.timing.queue, 0.1);
    cr_assert_lt(first.fetch->response.timing.queue, 0.1);
    went_well(&first);
    curlew_fetch_free(second.fetch);
}

/* -- again --------------------------------------------------------------- */

Test(engine, a_fetch_that_is_done_may_be_submitted_again)
{
    struct curlew_fetch *f;

    start_engine(2, 10, 10);
    f = to(0, "/hop/20");
    for (int i = 0; i < 3; i++) {
        runner_do(c, f); /* 60 redirects all in all, of which 30 at once are allowed */
        cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
        cr_assert_eq(f->response.history_count, 20);
        cr_assert_eq(counter_read(&c->config->bodies->bytes), 2);
    }
    curlew_fetch_free(f);
}

/* -- a session that two callers change ------------------------------------- */

static int
replace(const char *name, const struct session *was, int max_in_flight)
{
    struct session_config s;
    struct failure err = { 0 };
    int rc;

    session_config_init(&s);
    s.name = strdup(name);
    s.max_in_flight = max_in_flight;
    rc = engine_replace_session(c, name, was, max_in_flight > 0 ? &s : NULL, &err);
    session_config_destroy(&s);
    return rc;
}

Test(engine, a_session_is_replaced_only_as_its_caller_has_seen_it)
{
    struct config_snapshot *before;
    const struct session *was;

    start_engine(1, 10, 10);
    cr_assert_eq(replace("s", NULL, 1), 0);
    cr_assert_eq(replace("s", NULL, 2), 1, "it is no longer new");
    before = engine_snapshot(c);
    was = config_snapshot_find_session(before, "s");
    cr_assert_eq(replace("s", was, 3), 0);
    cr_assert_eq(replace("s", was, 4), 1);
    cr_assert_eq(replace("s", was, 0), 1, "nor is it removed");
    cr_assert_eq(config_snapshot_find_session(c->config, "s")->settings.max_in_flight, 3);
    cr_assert_eq(replace("s", config_snapshot_find_session(c->config, "s"), 0), 0);
    cr_assert_null(config_snapshot_find_session(c->config, "s"));
    cr_assert_eq(replace("s", NULL, 0), -1, "there is none to remove");
    config_snapshot_unref(before);
}
