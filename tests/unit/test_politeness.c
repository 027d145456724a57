/* test_politeness.c - a token bucket: how soon the next request may go to an origin. */

#include "session/politeness.h"

#include "util/clock.h"

#include <criterion/criterion.h>

#define START (INT64_C(123456789) * US_PER_MS)

static struct bucket b;
static struct politeness p;

static int
take_all(int64_t now)
{
    int n = 0;

    while (n < 1000000 && politeness_take(&b, &p, now))
        n++;
    return n;
}

Test(politeness, without_a_rate_there_is_no_limit)
{
    p = (struct politeness){ .burst = 1 };
    cr_assert_eq(take_all(START), 1000000);
    cr_assert_eq(politeness_ready_at(&b, &p, START), START);
    cr_assert(politeness_is_idle(&b, START));
}

Test(politeness, one_at_a_time_each_after_its_interval)
{
    p = (struct politeness){ .rate = 2, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    cr_assert_eq(politeness_ready_at(&b, &p, START), START + 500000);
    cr_assert_not(politeness_take(&b, &p, START + 499999));
    cr_assert(politeness_take(&b, &p, START + 500000));
    cr_assert_eq(politeness_ready_at(&b, &p, START + 500000), START + 1000000);
}

Test(politeness, a_burst_after_a_rest_and_then_the_rate)
{
    p = (struct politeness){ .rate = 10, .burst = 5 };
    cr_assert_eq(take_all(START), 5);
    cr_assert_eq(politeness_ready_at(&b, &p, START), START + 100000);
    cr_assert_eq(take_all(START + 250000), 2);
    cr_assert_eq(take_all(START + 300000), 1);
    cr_assert_eq(take_all(START + 60 * US_PER_SECOND), 5, "no more than a burst is saved up");
}

Test(politeness, a_fraction_of_a_request_a_second)
{
    p = (struct politeness){ .rate = 0.1, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    cr_assert_eq(politeness_ready_at(&b, &p, START), START + 10 * US_PER_SECOND);
}

Test(politeness, an_interval_that_is_no_whole_number_does_not_drift)
{
    int64_t now = START;

    p = (struct politeness){ .rate = 300000, .burst = 1 }; /* 3.33 us */
    for (int i = 0; i < 300000; i++) {
        now = politeness_ready_at(&b, &p, now);
        cr_assert(politeness_take(&b, &p, now), "%d: it was said to be there", i);
    }
    cr_assert_leq(now - START, 1300000, "each waits for a whole microsecond at most");
    cr_assert_geq(now - START, 999990);
}

Test(politeness, never_more_than_the_burst_and_the_rate_in_any_time)
{
    int n = 0;

    p = (struct politeness){ .rate = 7, .burst = 3 };
    for (int64_t now = START; now < START + 100 * US_PER_SECOND; now += 1234)
        n += politeness_take(&b, &p, now);
    cr_assert_leq(n, 3 + 700);
    cr_assert_geq(n, 695);
}

Test(politeness, new_settings_hold_from_the_next_look_on)
{
    p = (struct politeness){ .rate = 0.001, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    p.rate = 10;
    cr_assert_eq(politeness_ready_at(&b, &p, START), START + 100000, "not 1,000 s");
    cr_assert_eq(politeness_ready_at(&b, &p, START + 40000), START + 100000);
    cr_assert(politeness_take(&b, &p, START + 100000));
    p.burst = 4;
    cr_assert_eq(take_all(START + 150000), 3, "it was not empty: one of four was taken");
}

Test(politeness, is_idle_when_full_again)
{
    p = (struct politeness){ .rate = 10, .burst = 2 };
    cr_assert(politeness_is_idle(&b, START));
    take_all(START);
    cr_assert_not(politeness_is_idle(&b, START + 199999));
    cr_assert(politeness_is_idle(&b, START + 200000));
}
