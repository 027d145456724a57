/* test_retry_budget.c - at most a fifth of an origin's fetches are retries. */

#include "limits/retry_budget.h"

#include "util/clock.h"

#include <criterion/criterion.h>

static struct retry_budget b;

/* An origin that starts long after the clock did. */
#define START (INT64_C(5000) * US_PER_SECOND + 700000)

static int64_t
at(double seconds)
{
    return START + (int64_t)(seconds * US_PER_SECOND);
}

static void
fetches(int n, int64_t now)
{
    for (int i = 0; i < n; i++)
        retry_budget_deposit(&b, now);
}

/* How many retries are allowed now, all taken. */
static int
take_all(int64_t now)
{
    int n = 0;

    while (n < 100000 && retry_budget_try_withdraw(&b, now))
        n++;
    return n;
}

Test(budget, with_few_fetches_a_few_retries_are_allowed)
{
    cr_assert_eq(take_all(at(0)), RETRY_BUDGET_FLOOR);
    fetches(50, at(0)); /* a fifth of them is not more */
    cr_assert_not(retry_budget_try_withdraw(&b, at(0)));
    fetches(5, at(0));
    cr_assert(retry_budget_try_withdraw(&b, at(0)));
    cr_assert_not(retry_budget_try_withdraw(&b, at(0)));
}

Test(budget, is_a_fifth_of_the_fetches)
{
    fetches(1000, at(0));
    cr_assert_eq(take_all(at(0)), 200);
    cr_assert_eq(take_all(at(9)), 0);
}

Test(budget, forgets_what_is_ten_seconds_old)
{
    fetches(1000, at(0));
    cr_assert_eq(take_all(at(8.2)), 200);
    cr_assert_eq(take_all(at(9.2)), 0, "still in the same ten seconds");
    cr_assert_not(retry_budget_try_withdraw(&b, at(9.4)),
                  "the fetches are forgotten before the retries");
    cr_assert_not(retry_budget_try_withdraw(&b, at(17.2)));
    cr_assert_eq(take_all(at(17.4)), RETRY_BUDGET_FLOOR);
}

Test(budget, after_a_long_pause_everything_is_forgotten)
{
    fetches(1000, at(0));
    take_all(at(0));
    cr_assert_eq(take_all(at(1e6)), RETRY_BUDGET_FLOOR);
}

Test(budget, a_steady_outage_gets_a_fifth_more_and_no_more)
{
    int retries = 0;

    for (int ms = 0; ms < 60000; ms += 10) { /* 100 fetches a second, each wants three retries */
        int64_t now = at(ms / 1000.0);

        retry_budget_deposit(&b, now);
        for (int i = 0; i < 3; i++)
            retries += retry_budget_try_withdraw(&b, now);
    }
    cr_assert_leq(retries, 6000 / 5 + RETRY_BUDGET_FLOOR);
    cr_assert_geq(retries, 6000 / 5 - 200);
}

Test(budget, is_idle_when_its_window_is_over)
{
    cr_assert(retry_budget_is_idle(&b, at(0)));
    retry_budget_deposit(&b, at(0));
    cr_assert_not(retry_budget_is_idle(&b, at(0)));
    cr_assert_not(retry_budget_is_idle(&b, at(9.2)));
    cr_assert(retry_budget_is_idle(&b, at(9.4)));
}
