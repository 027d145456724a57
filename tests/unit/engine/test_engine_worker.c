/* test_engine_worker.c - the life of an engine thread: it starts, works, and ends. */

#include "engine/engine_worker.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>

static struct test_origin o;
static struct curlew *c;

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", origin_serve_ok);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(engine_worker, .init = setup, .fini = teardown, .timeout = 60);

Test(engine_worker, one_more_thread_can_start_and_end_with_nothing_to_do)
{
    struct failure err = { 0 };
    struct engine_worker *w = engine_worker_new(c, &err);

    cr_assert_not_null(w, "%s", err.detail);
    c->stopping = true;
    engine_worker_join(w);
    engine_worker_free(w);
}

Test(engine_worker, a_thread_that_ends_cancels_what_it_has)
{
    struct run running;

    run_start(&running, c, runner_fetch("%s/hold", o.url));
    origin_await_held(&o, 1);
    c->stopping = true;
    loop_wake(&c->workers[0]->loop);
    run_await(&running);
    cr_assert_str_eq(runner_code(running.fetch), "cancelled");
    origin_release(&o, 1);
    curlew_fetch_free(running.fetch);
}

Test(engine_worker, a_session_that_is_reset_loses_its_idle_connections)
{
    struct failure err = { 0 };

    curlew_fetch_free(runner_do(c, runner_fetch("%s/", o.url)));
    origin_await_open(&o, 1);
    cr_assert_eq(engine_reset_session(c, "default", &err), 0);
    origin_await_open(&o, 0);
    cr_assert_eq(counter_read(&c->stats.connections), 0);
}
