/* test_turn_watchdog.c - a slow turn of an event loop is counted, and reported now and then. */

#include "event/turn_watchdog.h"

#include "event/loop.h"
#include "support/clock.h"
#include "util/clock.h"

#include <criterion/criterion.h>

static counter slow_turns;
static struct turn_watchdog dog = { .slow_turns = &slow_turns };
static int reports;
static int64_t reported_us;

static void
on_slow(struct turn_watchdog *w, int64_t turn_us)
{
    (void)w;
    reports++;
    reported_us = turn_us;
}

static void
turn(int64_t start_ms, int64_t ms)
{
    turn_watchdog_wake(&dog, start_ms * US_PER_MS);
    turn_watchdog_sleep(&dog, (start_ms + ms) * US_PER_MS);
}

Test(turn_watchdog, a_turn_over_250_ms_is_slow)
{
    dog.report = on_slow;
    turn(1000, 250);
    cr_assert_eq(slow_turns, 0);
    turn(2000, 251);
    cr_assert_eq(slow_turns, 1);
    cr_assert_eq(reports, 1);
    cr_assert_eq(reported_us, 251000);
}

Test(turn_watchdog, all_are_counted_and_one_in_ten_seconds_is_reported)
{
    dog.report = on_slow;
    for (int second = 1; second <= 21; second++)
        turn(1000 * second, 300);
    cr_assert_eq(slow_turns, 21);
    cr_assert_eq(reports, 3);
}

Test(turn_watchdog, without_a_report_they_are_counted)
{
    turn(1000, 300);
    cr_assert_eq(slow_turns, 1);
}

/* -- in a loop ----------------------------------------------------------- */

static void
take_long(struct timer *t)
{
    (void)t;
    clock_skip(0.3);
}

static void
take_a_moment(struct timer *t)
{
    (void)t;
}

static void
turn_after(struct loop *l, int64_t wait_ms, void (*fire)(struct timer *t))
{
    struct timer t;

    timer_init(&t, fire);
    timer_set(&l->timers, &t, clock_us() + wait_ms * US_PER_MS);
    while (timer_is_set(&t))
        loop_turn(l);
}

Test(turn_watchdog, a_loop_measures_its_turns_but_not_its_sleep)
{
    struct loop l;

    cr_assert_eq(loop_init(&l), 0);
    l.watchdog.report = on_slow;
    l.watchdog.slow_turns = &slow_turns;
    turn_after(&l, 300, take_a_moment);
    turn_after(&l, 1, take_long);
    cr_assert_eq(slow_turns, 0, "what comes after the handlers belongs to the turn");
    turn_after(&l, 1, take_a_moment);
    cr_assert_eq(slow_turns, 1);
    cr_assert_eq(reports, 1);
    cr_assert_geq(reported_us, 300 * US_PER_MS);
    loop_destroy(&l);
}
