/* test_deadline.c - when a fetch has taken too long: its total and its idle timeout. */

#include "fetch/deadline.h"

#include "support/clock.h"
#include "util/clock.h"

#include <criterion/criterion.h>

static struct curlew_fetch *f;

static void
setup(void)
{
    f = fetch_new();
    cr_assert_not_null(f);
    f->request.total_timeout_ms = 30000;
    f->request.idle_timeout_ms = 1000;
    f->submitted_us = f->started_us = f->active_us = f->looked_us = clock_us();
    fetch_set_state(f, FETCH_POSTED);
    fetch_set_state(f, FETCH_QUEUED);
    fetch_set_state(f, FETCH_RUNNING);
}

static void
teardown(void)
{
    fetch_unref(f);
}

TestSuite(deadline, .init = setup, .fini = teardown, .timeout = 60);

Test(deadline, silence_is_an_idle_timeout_once)
{
    cr_assert_eq(deadline_of(f), f->active_us + US_PER_SECOND);
    cr_assert_eq(deadline_check(f, 0), 0);
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_IDLE_TIMEOUT);
}

Test(deadline, while_it_connects_a_fetch_is_not_idle)
{
    f->connecting = f->sends_body = true;
    cr_assert_eq(deadline_of(f), deadline_of_total(f), "its timer does not tick meanwhile");
    clock_skip(2);
    cr_assert_eq(deadline_check(f, 0), 0);
    f->sends_body = false;
    deadline_start_idle(f);
    cr_assert_eq(deadline_of(f), f->active_us + US_PER_SECOND);
    cr_assert_eq(deadline_check(f, 0), 0);
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_IDLE_TIMEOUT);
}

Test(deadline, a_body_that_was_sent_before_does_not_put_the_idle_timeout_off)
{
    f->sends_body = true;
    f->sent = 1000000; /* at once, by active_us */
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_IDLE_TIMEOUT);
}

Test(deadline, a_body_is_looked_at_four_times_until_the_answer_begins)
{
    f->sends_body = true;
    cr_assert_eq(deadline_of(f), f->looked_us + US_PER_SECOND / 4);
    clock_skip(0.3);
    cr_assert_eq(deadline_check(f, 0), 0);
    cr_assert_geq(deadline_of(f), f->active_us + US_PER_SECOND / 2);
    f->response.head.status = 200;
    cr_assert_eq(deadline_of(f), f->active_us + US_PER_SECOND);
}

Test(deadline, bytes_that_the_kernel_sends_are_activity)
{
    f->sends_body = true;
    for (int left = 1000; left > 0; left -= 100) {
        clock_skip(0.9);
        cr_assert_eq(deadline_check(f, left), 0);
    }
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 100), -1);
    cr_assert_eq(f->failure.error, ERROR_IDLE_TIMEOUT);
}

Test(deadline, bytes_that_stand_still_are_none)
{
    f->sends_body = true;
    clock_skip(0.25);
    cr_assert_eq(deadline_check(f, 1000), 0); /* they are there now */
    clock_skip(0.9);
    cr_assert_eq(deadline_check(f, 1000), 0);
    clock_skip(0.1);
    cr_assert_eq(deadline_check(f, 1000), -1);
}

Test(deadline, the_total_timeout_has_its_own_code)
{
    f->request.idle_timeout_ms = 0;
    cr_assert_eq(deadline_of(f), deadline_of_total(f));
    clock_skip(29);
    cr_assert_eq(deadline_check(f, 0), 0);
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_eq(f->failure.error, ERROR_TIMEOUT);
}

Test(deadline, a_pause_is_no_silence)
{
    f->paused = true;
    cr_assert_eq(deadline_of(f), deadline_of_total(f));
    clock_skip(5);
    cr_assert_eq(deadline_check(f, 0), 0);
}

Test(deadline, a_caller_who_is_silent_is_told_from_an_origin)
{
    struct upload_size size = { UPLOAD_UNKNOWN_LENGTH, 0 };
    size_t got;
    char c;

    cr_assert_eq(fetch_open_upload(f, &size, NULL, NULL), 0);
    f->sends_body = true;
    clock_skip(1);
    cr_assert_eq(deadline_check(f, 0), -1);
    cr_assert_not(deadline_is_callers(f));
    cr_assert_eq(upload_pipe_read(f->upload, &c, 1, &got), UPLOAD_EMPTY);
    cr_assert(deadline_is_callers(f));
    f->failure.error = ERROR_RECV_FAILED;
    cr_assert_not(deadline_is_callers(f));
}
