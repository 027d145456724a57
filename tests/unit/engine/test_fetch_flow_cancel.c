/* test_fetch_flow_cancel.c - ending a fetch from outside: before, while and after it runs. */

#include "support/origin.h"
#include "support/runner.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct test_origin o;
static struct curlew *c;

static void
say_nothing(struct seen_request *x)
{
    origin_reply(x, 204, "", "");
}

/* Half of the body, and then nothing. */
static void
say_half(struct seen_request *x)
{
    origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    origin_hold(x);
}

static void
start_engine(int threads, int in_flight)
{
    struct engine_config s;

    runner_settings(&s);
    s.threads = threads;
    s.limits.in_flight = in_flight;
    c = runner_engine(&s);
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", origin_serve_ok);
    start_engine(1, 1);
}

static void
teardown(void)
{
    cr_assert_eq(counter_read(&c->stats.in_flight), 0);
    cr_assert_eq(counter_read(&c->stats.queued), 0);
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 0);
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(fetch_flow_cancel, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static void
was_cancelled(struct run *r)
{
    run_await(r);
    cr_assert_str_eq(runner_code(r->fetch), "cancelled");
    curlew_fetch_free(r->fetch);
}

static void
went_well(struct run *r)
{
    run_await(r);
    cr_assert_str_eq(runner_code(r->fetch), "ok", "%s", curlew_fetch_detail(r->fetch));
    curlew_fetch_free(r->fetch);
}

Test(fetch_flow_cancel, a_running_fetch_ends_at_once_and_its_connection_is_closed)
{
    struct run r;

    run_start(&r, c, to("/hold"));
    origin_await_held(&o, 1);
    curlew_cancel(r.fetch);
    was_cancelled(&r);
    origin_release(&o, 1);
    origin_await_open(&o, 0);
}

Test(fetch_flow_cancel, a_waiting_fetch_ends_without_having_been_tried)
{
    struct run first, second;

    run_start(&first, c, to("/hold"));
    origin_await_held(&o, 1);
    run_start(&second, c, to("/second"));
    curlew_cancel(second.fetch);
    was_cancelled(&second);
    origin_release(&o, 1);
    went_well(&first);
    cr_assert_eq(origin_requests(&o), 1);
}

Test(fetch_flow_cancel, the_place_of_a_cancelled_fetch_goes_to_the_next)
{
    struct run first, second;

    run_start(&first, c, to("/hold"));
    origin_await_held(&o, 1);
    run_start(&second, c, to("/second"));
    curlew_cancel(first.fetch);
    was_cancelled(&first);
    went_well(&second);
    origin_release(&o, 1);
}

Test(fetch_flow_cancel, before_the_submission_a_fetch_is_cancelled_as_soon_as_it_arrives)
{
    struct run r;
    struct curlew_fetch *f = to("/");

    curlew_cancel(f);
    run_start(&r, c, f);
    was_cancelled(&r);
    cr_assert_eq(origin_requests(&o), 0);
}

Test(fetch_flow_cancel, twice_is_as_good_as_once)
{
    struct run r;

    run_start(&r, c, to("/hold"));
    curlew_cancel(r.fetch);
    curlew_cancel(r.fetch);
    was_cancelled(&r);
    origin_release(&o, 1);
}

Test(fetch_flow_cancel, a_fetch_that_is_done_stays_as_it_is)
{
    struct curlew_fetch *f = runner_do(c, to("/"));

    curlew_cancel(f);
    cr_assert_str_eq(runner_code(f), "ok");
    curlew_fetch_free(f);
    curlew_fetch_free(runner_do(c, to("/"))); /* the thread is well */
}

/* Whatever the moment, a fetch comes back once, as cancelled or as done. */
Test(fetch_flow_cancel, at_any_moment_a_fetch_comes_back_once)
{
    int cancelled = 0;

    curlew_free(c);
    start_engine(2, 1000);
    for (int i = 0; i < 300; i++) {
        struct run r;

        run_start(&r, c, to("/"));
        if (i % 3 > 0)
            usleep((useconds_t)(i * 7 % 400));
        if (!r.over)
            curlew_cancel(r.fetch);
        run_await(&r);
        cancelled += strcmp(runner_code(r.fetch), "cancelled") == 0;
        usleep(100);
        cr_assert_eq(sem_trywait(&r.done), -1, "twice");
        curlew_fetch_free(r.fetch);
    }
    cr_assert_gt(cancelled, 0);
}

Test(fetch_flow_cancel, a_storm_of_fetches_and_cancellations_leaves_nothing_behind)
{
    static struct run runs[200];

    curlew_free(c);
    start_engine(2, 20);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 200; i++)
            run_start(&runs[i], c, to("/"));
        for (int i = 0; i < 200; i += 2)
            if (!runs[i].over)
                curlew_cancel(runs[i].fetch);
        for (int i = 0; i < 200; i++) {
            run_await(&runs[i]);
            curlew_fetch_free(runs[i].fetch);
        }
    }
    curlew_fetch_free(runner_do(c, to("/")));
}

/* -- the end of the engine ----------------------------------------------- */

Test(fetch_flow_cancel, freeing_the_engine_cancels_what_runs_and_what_waits)
{
    struct run runs[5];

    for (int i = 0; i < 5; i++)
        run_start(&runs[i], c, to("/hold"));
    origin_await_held(&o, 1);
    curlew_free(c);
    for (int i = 0; i < 5; i++) {
        cr_assert(runs[i].over);
        was_cancelled(&runs[i]);
    }
    origin_release(&o, 5);
    start_engine(1, 1);
}

Test(fetch_flow_cancel, freeing_the_engine_at_once_loses_no_fetch)
{
    o.on_request =
        say_nothing; /* a body would be on the engine's account: such fetches are freed before it */
    for (int round = 0; round < 20; round++) {
        struct run runs[10];

        for (int i = 0; i < 10; i++)
            run_start(&runs[i], c, to("/"));
        if (round % 2)
            usleep(500);
        curlew_free(c);
        for (int i = 0; i < 10; i++) {
            cr_assert(runs[i].over);
            curlew_fetch_free(runs[i].fetch);
        }
        start_engine(1 + round % 3, 1 + round % 4);
    }
}

Test(fetch_flow_cancel, a_fetch_cancelled_in_mid_body_outlives_the_engine)
{
    struct run r;

    o.on_request = say_half;
    run_start(&r, c, to("/"));
    while (counter_read(&c->config->bodies->bytes) < 4)
        usleep(1000);
    curlew_free(c);
    was_cancelled(&r);
    origin_release(&o, 1);
    start_engine(1, 1);
}

static atomic_int refused;

static void
submit_again(struct curlew_fetch *f, void *arg)
{
    (void)arg;
    if (curlew_submit(c, f, submit_again, NULL) != 0)
        refused++;
}

Test(fetch_flow_cancel, a_callback_that_submits_during_the_end_is_refused)
{
    struct curlew_fetch *f = to("/hold");

    cr_assert_eq(curlew_submit(c, f, submit_again, NULL), 0);
    origin_await_held(&o, 1);
    curlew_free(c);
    cr_assert_eq(refused, 1);
    cr_assert_str_eq(runner_code(f), "draining");
    curlew_fetch_free(f);
    origin_release(&o, 1);
    start_engine(1, 1);
}
