/* test_token_bucket.c - rate limiting by a token bucket. */

#include "limits/token_bucket.h"

#include "util/clock.h"

#include <criterion/criterion.h>

#define START (INT64_C(123456789) * US_PER_MS)

static struct token_bucket b;
static struct rate_limit p;

static int
take_all(int64_t now)
{
    int n = 0;

    while (n < 1000000 && token_bucket_try_take(&b, &p, now))
        n++;
    return n;
}

Test(rate_limit, without_a_rate_there_is_no_limit)
{
    p = (struct rate_limit){ .burst = 1 };
    cr_assert_eq(take_all(START), 1000000);
    cr_assert_eq(token_bucket_ready_at(&b, &p, START), START);
    cr_assert(token_bucket_is_full(&b, START));
}

Test(rate_limit, one_at_a_time_each_after_its_interval)
{
    p = (struct rate_limit){ .rate = 2, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    cr_assert_eq(token_bucket_ready_at(&b, &p, START), START + 500000);
    cr_assert_not(token_bucket_try_take(&b, &p, START + 499999));
    cr_assert(token_bucket_try_take(&b, &p, START + 500000));
    cr_assert_eq(token_bucket_ready_at(&b, &p, START + 500000), START + 1000000);
}

Test(rate_limit, a_burst_after_a_pause_and_then_the_rate)
{
    p = (struct rate_limit){ .rate = 10, .burst = 5 };
    cr_assert_eq(take_all(START), 5);
    cr_assert_eq(token_bucket_ready_at(&b, &p, START), START + 100000);
    cr_assert_eq(take_all(START + 250000), 2);
    cr_assert_eq(take_all(START + 300000), 1);
    cr_assert_eq(take_all(START + 60 * US_PER_SECOND), 5, "no more than a burst is saved up");
}

Test(rate_limit, a_fraction_of_a_request_a_second)
{
    p = (struct rate_limit){ .rate = 0.1, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    cr_assert_eq(token_bucket_ready_at(&b, &p, START), START + 10 * US_PER_SECOND);
}

Test(rate_limit, however_low_the_rate_is_there_is_one)
{
    static const double rates[] = { 1e-9, 1e-12, 1e-300, 5e-324 };

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        b = (struct token_bucket){ 0 };
        p = (struct rate_limit){ .rate = rates[i], .burst = 3 };
        cr_assert_eq(take_all(START), 3, "%g", rates[i]);
        cr_assert_gt(token_bucket_ready_at(&b, &p, START),
                     START + INT64_C(1000000) * US_PER_SECOND);
        cr_assert_eq(take_all(START + INT64_C(1000000) * US_PER_SECOND), 0, "%g", rates[i]);
    }
}

Test(rate_limit, an_interval_that_is_no_whole_number_does_not_drift)
{
    int64_t now = START;

    p = (struct rate_limit){ .rate = 300000, .burst = 1 }; /* 3.33 us */
    for (int i = 0; i < 300000; i++) {
        now = token_bucket_ready_at(&b, &p, now);
        cr_assert(token_bucket_try_take(&b, &p, now), "%d: it was said to be there", i);
    }
    cr_assert_leq(now - START, 1300000, "each waits for a whole microsecond at most");
    cr_assert_geq(now - START, 999990);
}

Test(rate_limit, never_more_than_the_burst_and_the_rate_in_any_time)
{
    int n = 0;

    p = (struct rate_limit){ .rate = 7, .burst = 3 };
    for (int64_t now = START; now < START + 100 * US_PER_SECOND; now += 1234)
        n += token_bucket_try_take(&b, &p, now);
    cr_assert_leq(n, 3 + 700);
    cr_assert_geq(n, 695);
}

Test(rate_limit, new_settings_apply_at_once)
{
    p = (struct rate_limit){ .rate = 0.001, .burst = 1 };
    cr_assert_eq(take_all(START), 1);
    p.rate = 10;
    cr_assert_eq(token_bucket_ready_at(&b, &p, START), START + 100000, "not 1,000 s");
    cr_assert_eq(token_bucket_ready_at(&b, &p, START + 40000), START + 100000);
    cr_assert(token_bucket_try_take(&b, &p, START + 100000));
    p.burst = 4;
    cr_assert_eq(take_all(START + 150000), 3, "it was not empty: one of four was taken");
}

Test(rate_limit, is_idle_when_full_again)
{
    p = (struct rate_limit){ .rate = 10, .burst = 2 };
    cr_assert(token_bucket_is_full(&b, START));
    take_all(START);
    cr_assert_not(token_bucket_is_full(&b, START + 199999));
    cr_assert(token_bucket_is_full(&b, START + 200000));
}
