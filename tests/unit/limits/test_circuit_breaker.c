/* test_circuit_breaker.c - an origin that keeps failing gets no requests for a while. */

#include "limits/circuit_breaker.h"

#include "util/clock.h"

#include <criterion/criterion.h>

static struct circuit_breaker b;
static struct circuit_breaker_config s;
static int64_t now;

static void
setup(void)
{
    s = (struct circuit_breaker_config){ .failures = 3, .open_seconds = 2 };
    now = INT64_C(1000) * US_PER_SECOND;
}

TestSuite(breaker, .init = setup);

static bool
admits(bool probe_wanted)
{
    bool probe, yes = circuit_breaker_try_pass(&b, &s, now, &probe);

    cr_assert_eq(probe, probe_wanted && yes);
    return yes;
}

static bool
note(enum circuit_breaker_outcome outcome, bool probe)
{
    return circuit_breaker_record(&b, &s, outcome, probe, now);
}

/* A fetch of an origin that is let alone by nobody. */
static bool
ends(enum circuit_breaker_outcome outcome)
{
    cr_assert(admits(false));
    return note(outcome, false);
}

static void
open_it(void)
{
    cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert(ends(OUTCOME_FAILURE));
    cr_assert_eq(b.state, CIRCUIT_OPEN);
}

static void
half_open_it(void)
{
    open_it();
    now += 2 * US_PER_SECOND;
}

/* -- off and closed ------------------------------------------------------ */

Test(breaker, without_settings_it_never_opens)
{
    s.failures = 0;
    for (int i = 0; i < 100; i++)
        cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert_eq(b.state, CIRCUIT_OFF);
}

Test(breaker, opens_at_that_many_failures_in_a_row)
{
    open_it();
    cr_assert_not(admits(false));
}

Test(breaker, one_success_resets_the_count)
{
    for (int i = 0; i < 10; i++) {
        cr_assert_not(ends(OUTCOME_FAILURE));
        cr_assert_not(ends(OUTCOME_FAILURE));
        cr_assert_not(ends(OUTCOME_SUCCESS));
    }
    open_it();
}

Test(breaker, an_ignored_outcome_changes_nothing)
{
    cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert_not(ends(OUTCOME_FAILURE));
    for (int i = 0; i < 5; i++)
        cr_assert_not(ends(OUTCOME_IGNORED));
    cr_assert(ends(OUTCOME_FAILURE));
}

Test(breaker, opens_at_the_first_failure_if_set_to_one)
{
    s.failures = 1;
    cr_assert(ends(OUTCOME_FAILURE));
    cr_assert_not(admits(false));
}

/* -- open ---------------------------------------------------------------- */

Test(breaker, rejects_all_for_open_seconds_and_not_a_microsecond_less)
{
    open_it();
    now += 2 * US_PER_SECOND - 1;
    cr_assert_not(admits(false));
    now += 1;
    cr_assert(admits(true));
}

Test(breaker, requests_from_before_it_opened_are_ignored)
{
    open_it();
    cr_assert_not(note(OUTCOME_SUCCESS, false));
    cr_assert_not(note(OUTCOME_FAILURE, false));
    cr_assert_eq(b.state, CIRCUIT_OPEN);
    cr_assert_eq(circuit_breaker_retry_after(&b, now), 2);
}

Test(breaker, tells_retry_after_in_whole_seconds)
{
    open_it();
    cr_assert_eq(circuit_breaker_retry_after(&b, now), 2);
    cr_assert_eq(circuit_breaker_retry_after(&b, now + US_PER_SECOND - 1), 2);
    cr_assert_eq(circuit_breaker_retry_after(&b, now + US_PER_SECOND), 1);
    cr_assert_eq(circuit_breaker_retry_after(&b, now + 100 * US_PER_SECOND), 1);
}

Test(breaker, after_open_seconds_it_is_half_open_even_without_a_request)
{
    open_it();
    circuit_breaker_tick(&b, now + 2 * US_PER_SECOND - 1);
    cr_assert_eq(b.state, CIRCUIT_OPEN);
    circuit_breaker_tick(&b, now + 2 * US_PER_SECOND);
    cr_assert_eq(b.state, CIRCUIT_HALF_OPEN);
}

/* -- half-open ----------------------------------------------------------- */

Test(breaker, lets_one_probe_through_and_nothing_else)
{
    half_open_it();
    cr_assert(admits(true));
    for (int i = 0; i < 5; i++)
        cr_assert_not(admits(false));
}

Test(breaker, a_probe_that_succeeds_closes_it)
{
    half_open_it();
    cr_assert(admits(true));
    cr_assert_not(note(OUTCOME_SUCCESS, true));
    cr_assert_eq(b.state, CIRCUIT_CLOSED);
    open_it();
}

Test(breaker, a_probe_that_fails_opens_it_again_for_as_long)
{
    half_open_it();
    cr_assert(admits(true));
    cr_assert(note(OUTCOME_FAILURE, true));
    now += 2 * US_PER_SECOND - 1;
    cr_assert_not(admits(false));
    now += 1;
    cr_assert(admits(true));
}

Test(breaker, a_probe_with_an_ignored_outcome_is_followed_by_another)
{
    half_open_it();
    cr_assert(admits(true));
    cr_assert_not(note(OUTCOME_IGNORED, true));
    cr_assert(admits(true));
    cr_assert_not(admits(false));
}

Test(breaker, older_fetches_that_end_do_not_replace_the_probe)
{
    half_open_it();
    cr_assert(admits(true));
    cr_assert_not(note(OUTCOME_SUCCESS, false));
    cr_assert_not(note(OUTCOME_FAILURE, false));
    cr_assert_eq(b.state, CIRCUIT_HALF_OPEN);
    cr_assert_not(admits(false));
}

Test(breaker, a_probe_without_an_outcome_is_followed_by_another)
{
    half_open_it();
    cr_assert(admits(true));
    now += 2 * US_PER_SECOND - 1;
    cr_assert_not(admits(false));
    now += 1;
    cr_assert(admits(true));
    cr_assert_not(admits(false));
}

/* -- memory and change --------------------------------------------------- */

Test(breaker, is_idle_once_its_state_no_longer_matters)
{
    cr_assert(circuit_breaker_is_idle(&b, now));
    cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert_not(circuit_breaker_is_idle(&b, now));
    cr_assert(circuit_breaker_is_idle(&b, now + 2 * US_PER_SECOND));
    cr_assert_not(ends(OUTCOME_FAILURE));
    cr_assert(ends(OUTCOME_FAILURE));
    cr_assert_not(circuit_breaker_is_idle(&b, now + 3 * US_PER_SECOND));
    cr_assert(circuit_breaker_is_idle(&b, now + 4 * US_PER_SECOND));
}

Test(breaker, a_session_that_turns_it_off_gets_through_at_once)
{
    open_it();
    s.failures = 0;
    cr_assert(admits(false));
    cr_assert_eq(b.state, CIRCUIT_OFF);
}

/* -- what an end says of the origin -------------------------------------- */

static enum circuit_breaker_outcome
judge(enum error error, int status)
{
    struct failure f = { .error = error };

    return circuit_breaker_classify(&f, status);
}

Test(breaker, statuses_of_500_and_more_are_failures)
{
    cr_assert_eq(judge(ERROR_NONE, 200), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_NONE, 302), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_NONE, 404), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_NONE, 429), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_NONE, 499), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_NONE, 500), OUTCOME_FAILURE);
    cr_assert_eq(judge(ERROR_NONE, 599), OUTCOME_FAILURE);
}

Test(breaker, so_is_a_connection_that_fails_or_times_out_idle)
{
    static const enum error errors[] = { ERROR_DNS_FAILED,      ERROR_CONNECT_FAILED,
                                         ERROR_TLS_FAILED,      ERROR_PROXY_FAILED,
                                         ERROR_PROTOCOL_ERROR,  ERROR_INCOMPLETE_BODY,
                                         ERROR_SEND_FAILED,     ERROR_RECV_FAILED,
                                         ERROR_CONNECT_TIMEOUT, ERROR_IDLE_TIMEOUT };

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        cr_assert_eq(judge(errors[i], 0), OUTCOME_FAILURE, "%s", error_code(errors[i]));
        cr_assert_eq(judge(errors[i], 200), OUTCOME_FAILURE, "%s", error_code(errors[i]));
    }
}

Test(breaker, a_timeout_is_one_only_before_the_head)
{
    cr_assert_eq(judge(ERROR_TIMEOUT, 0), OUTCOME_FAILURE);
    cr_assert_eq(judge(ERROR_TIMEOUT, 200), OUTCOME_SUCCESS);
    cr_assert_eq(judge(ERROR_TIMEOUT, 503), OUTCOME_FAILURE);
}

Test(breaker, our_own_errors_are_ignored_unless_a_head_has_come)
{
    static const enum error errors[] = { ERROR_CANCELLED,          ERROR_BLOCKED,
                                         ERROR_OVERLOADED,         ERROR_INTERNAL,
                                         ERROR_RESPONSE_TOO_LARGE, ERROR_TOO_MANY_REDIRECTS };

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        cr_assert_eq(judge(errors[i], 0), OUTCOME_IGNORED, "%s", error_code(errors[i]));
        cr_assert_eq(judge(errors[i], 200), OUTCOME_SUCCESS, "%s", error_code(errors[i]));
    }
}
