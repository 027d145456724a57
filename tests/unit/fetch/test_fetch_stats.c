/* test_fetch_stats.c - a fetch that has ended, in the counters of the engine and of its session. */

#include "fetch/fetch_stats.h"

#include "support/fetch_fixture.h"
#include "util/clock.h"

#include <criterion/criterion.h>

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

TestSuite(fetch_stats, .init = setup, .fini = teardown, .timeout = 20);

static int64_t
outcome(enum error e)
{
    return counter_read(&t.session->state->outcomes[e]);
}

Test(fetch_stats, a_response_counts_by_its_status_class)
{
    static const int statuses[] = { 100, 204, 404, 599, 99, 600 };
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        f->response.head.status = statuses[i];
        fetch_stats_record(f);
    }
    cr_assert_eq(outcome(ERROR_NONE), 6);
    cr_assert_eq(counter_read(&t.session->state->classes[0]), 1);
    cr_assert_eq(counter_read(&t.session->state->classes[1]), 1);
    cr_assert_eq(counter_read(&t.session->state->classes[2]), 0);
    cr_assert_eq(counter_read(&t.session->state->classes[3]), 1);
    cr_assert_eq(counter_read(&t.session->state->classes[4]), 1);
    cr_assert_eq(counter_read(&t.session->state->classes[STATUS_CLASSES - 1]), 2);
    fetch_unref(f);
}

Test(fetch_stats, a_failure_counts_by_its_code_and_has_no_class)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    f->response.head.status = 200;
    failure_set(&f->failure, ERROR_INCOMPLETE_BODY, "cut");
    fetch_stats_record(f);
    cr_assert_eq(outcome(ERROR_INCOMPLETE_BODY), 1);
    cr_assert_eq(outcome(ERROR_NONE), 0);
    cr_assert_eq(counter_read(&t.session->state->classes[1]), 0);
    fetch_unref(f);
}

Test(fetch_stats, bytes_of_a_shared_transfer_count_once)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    f->response.body_bytes = 10;
    f->response.bytes_sent = 3;
    fetch_stats_record(f);
    f->response.coalesced = true;
    fetch_stats_record(f);
    cr_assert_eq(counter_read(&t.stats.bytes_received), 10);
    cr_assert_eq(counter_read(&t.stats.bytes_sent), 6);
    cr_assert_eq(counter_read(&t.stats.coalesced), 1);
    fetch_unref(f);
}

Test(fetch_stats, the_total_time_counts_from_the_submission)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    f->submitted_us -= 3 * US_PER_SECOND;
    fetch_stats_record(f);
    cr_assert_geq(f->response.timing.total, 3.0);
    cr_assert_lt(f->response.timing.total, 15.0);
    fetch_unref(f);
}
