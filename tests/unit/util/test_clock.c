/* test_clock.c - the time that never jumps, in microseconds. */

#include "util/clock.h"

#include <criterion/criterion.h>
#include <unistd.h>

Test(clock, never_goes_back)
{
    int64_t before = clock_us();

    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_us();

        cr_assert_geq(now, before);
        before = now;
    }
}

Test(clock, counts_in_microseconds)
{
    int64_t before = clock_us(), passed;

    usleep(20 * US_PER_MS);
    passed = clock_us() - before;

    cr_assert_geq(passed, 20 * US_PER_MS);
    cr_assert_lt(passed, 10 * US_PER_SECOND);
}
