/* test_deadline.c - how long a fetch may take: its total and its idle timeout. */

#include "fetch/deadline.h"

#include "support/fetch_fixture.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <string.h>

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

TestSuite(deadline, .init = setup, .fini = teardown, .timeout = 20);

static struct curlew_fetch *
running(int total_ms, int idle_ms)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    f->request.total_timeout_ms = total_ms;
    f->request.idle_timeout_ms = idle_ms;
    fetch_set_state(f, FETCH_QUEUED);
    fetch_set_state(f, FETCH_RUNNING);
    f->active_us = clock_us();
    return f;
}

Test(deadline, the_total_timeout_counts_from_the_submission)
{
    struct curlew_fetch *f = running(2000, 0);

    cr_assert_eq(deadline_of_total(f), f->submitted_us + 2 * US_PER_SECOND);
    cr_assert_eq(deadline_of(f), deadline_of_total(f));
    f->request.total_timeout_ms = 0;
    cr_assert_eq(deadline_of_total(f), INT64_MAX);
    cr_assert_eq(deadline_of(f), INT64_MAX);
    fetch_unref(f);
}

Test(deadline, a_total_timeout_that_has_passed_is_a_timeout)
{
    struct curlew_fetch *f = running(1500, 0);

    cr_assert_eq(deadline_check(f, 0), 0);
    f->submitted_us -= 2 * US_PER_SECOND;
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_TIMEOUT);
    cr_assert_str_eq(f->failure.detail, "not done after 1.5 s");
    fetch_unref(f);
}

Test(deadline, a_fetch_that_never_left_the_queue_says_so)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "http://a.test/");

    f->request.total_timeout_ms = 1000;
    fetch_set_state(f, FETCH_QUEUED);
    f->submitted_us -= 2 * US_PER_SECOND;
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_not_null(strstr(f->failure.detail, "in the queue"), "%s", f->failure.detail);
    fetch_unref(f);
}

Test(deadline, silence_is_an_idle_timeout_unless_we_paused_it_ourselves)
{
    struct curlew_fetch *f = running(0, 500);

    f->active_us -= US_PER_SECOND;
    f->paused = true;
    cr_assert_eq(deadline_check(f, 0), 0);
    f->paused = false;
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_IDLE_TIMEOUT);
    fetch_unref(f);
}
