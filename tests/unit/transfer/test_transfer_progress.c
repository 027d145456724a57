/* test_transfer_progress.c - the limits of what is no part of a response. */

#include "transfer/transfer_progress.h"

#include "transfer/connection_pool.h"
#include "transfer/hop.h"
#include "util/clock.h"

#include <criterion/criterion.h>

static struct loop loop;
static struct connection_pool pool = { .loop = &loop };
static struct hop hop = { .pool = &pool };
static struct curlew_fetch f = { .hop = &hop };

static void
setup(void)
{
    loop.now_us = clock_us();
    hop.easy = curl_easy_init();
}

static void
teardown(void)
{
    curl_easy_cleanup(hop.easy);
}

TestSuite(transfer_progress, .init = setup, .fini = teardown);

/* In one turn of the loop; the first that fails, or `most`. */
static int
run_until_failure(int most)
{
    int n = 0;

    while (n < most && transfer_progress_check(&f, 0) == 0)
        n++;
    return n;
}

Test(transfer_progress, an_answer_to_connect_has_a_limit)
{
    char proxy[] = "proxy.test";

    f.proxy_host = proxy;
    cr_assert_eq(run_until_failure(100000), TRANSFER_PROGRESS_CONNECT_MAX);
    cr_assert_eq(f.failure.error, ERROR_PROXY_FAILED);
}

Test(transfer_progress, without_a_proxy_there_is_none)
{
    cr_assert_eq(run_until_failure(100000), 100000);
}

Test(transfer_progress, runs_that_bring_nothing_end_after_a_quarter_of_a_second)
{
    int64_t begun = clock_us();

    hop.requested = true;
    cr_assert_lt(run_until_failure(INT32_MAX), INT32_MAX);
    cr_assert_geq(clock_us() - begun, 250 * US_PER_MS);
    cr_assert_eq(f.failure.error, ERROR_PROTOCOL_ERROR);
}

Test(transfer_progress, bytes_of_any_transfer_and_another_turn_are_progress)
{
    hop.requested = true;
    for (int64_t end = clock_us() + 600 * US_PER_MS; clock_us() < end; pool.useful_bytes += 10)
        cr_assert_eq(transfer_progress_check(&f, 0), 0);
    for (int64_t end = clock_us() + 600 * US_PER_MS; clock_us() < end; loop.now_us = clock_us())
        cr_assert_eq(transfer_progress_check(&f, 0), 0);
}

Test(transfer_progress, what_is_sent_is_useful_and_keeps_the_idle_timeout_away)
{
    cr_assert_eq(transfer_progress_check(&f, 1000), 0);
    cr_assert_eq(pool.useful_bytes, 1000);
    cr_assert_gt(f.active_us, 0);
}
