/* test_route_fetches.c - GET …/v1/fetches: what is in flight. */

#include "routes/route_fetches.h"

#include "engine/fetch_list.h"
#include "support/route_fixture.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_fetches, .init = setup, .fini = teardown, .timeout = 30);

static void
await_list(void)
{
    struct mail *mail;

    cr_assert(t.x.work.pending);
    while ((mail = mailbox_take(&t.worker.inbox)) == NULL)
        usleep(1000);
    cr_assert_eq(mail->about, EXCHANGE_WORK_ENDED);
    exchange_work_ended(&t.x);
    exchange_finish_work(&t.x);
}

Test(route_fetches, what_is_in_flight_is_listed_without_its_URL)
{
    struct run run;

    run_start(&run, t.server.engine, runner_fetch("%s/hold", t.origin.url));
    origin_await_held(&t.origin, 1);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_fetches_on_request(&t.x);
    await_list();
    route_fixture_expect(&t, "Status: 200 OK\r\n");
    route_fixture_expect(&t, "\"total\":1,\"limit\":100");
    route_fixture_expect(&t, "\"session\":\"default\"");
    cr_assert_null(strstr(route_fixture_response(&t), "/hold"));
    origin_release(&t.origin, 1);
    run_await(&run);
    curlew_fetch_free(run.fetch);
}

Test(route_fetches, a_limit_out_of_its_range_or_another_key_is_refused)
{
    static const char *const bad[] = { "limit=",   "limit=0",     "limit=1001",
                                       "limit=-1", "limit=1x",    "limit=1&x",
                                       "x=1",      "limit=10000", "limit=00001" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET", "QUERY_STRING", bad[i]);
        route_fetches_on_request(&t.x);
        route_fixture_expect(&t, "Status: 400");
        route_fixture_expect(&t, "limit=N alone, from 1 to 1000");
        exchange_reset(&t.x);
    }
}

Test(route_fetches, the_limits_ends_are_accepted)
{
    static const char *const good[] = { "limit=1", "limit=1000" };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET", "QUERY_STRING", good[i]);
        route_fetches_on_request(&t.x);
        await_list();
        route_fixture_expect(&t, "\"total\":0");
        exchange_reset(&t.x);
    }
}

Test(route_fetches, a_caller_who_leaves_meanwhile_is_no_harm)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_fetches_on_request(&t.x);
    exchange_cancel(&t.x);
    await_list();
    route_fixture_expect(&t, "cancelled");
}
