/* test_timer.c - deadlines, the earliest first. */

#include "event/timer.h"

#include "util/list.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MANY 500

struct alarm {
    struct timer timer;
    int number;
    bool set; /* in the model */
};

static struct timer_heap ts;
static struct alarm alarms[MANY];
static int fired[MANY];
static int fired_count;

static void
on_fire(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);

    cr_assert_not(timer_is_set(t), "a timer that fires is no longer set");
    cr_assert_lt(fired_count, MANY);
    a->set = false;
    fired[fired_count++] = a->number;
}

static void
setup(void)
{
    timer_heap_init(&ts);
    fired_count = 0;
    for (int i = 0; i < MANY; i++) {
        timer_init(&alarms[i].timer, on_fire);
        alarms[i].number = i;
    }
}

TestSuite(timer, .init = setup);

Test(timer, with_none_set_there_is_no_next)
{
    cr_assert_eq(timer_heap_next(&ts), INT64_MAX);
    timer_heap_fire(&ts, INT64_MAX);
    cr_assert_eq(fired_count, 0);
}

Test(timer, fires_at_its_time_and_not_a_microsecond_before)
{
    timer_set(&ts, &alarms[0].timer, 1000);

    timer_heap_fire(&ts, 999);
    cr_assert_eq(fired_count, 0);
    timer_heap_fire(&ts, 1000);
    cr_assert_eq(fired_count, 1);
    timer_heap_fire(&ts, 5000);
    cr_assert_eq(fired_count, 1, "once only");
}

Test(timer, fires_in_the_order_of_time_whatever_the_order_of_setting)
{
    static const int64_t at[] = { 50, 10, 40, 20, 30 };
    static const int order[] = { 1, 3, 4, 2, 0 };

    for (int i = 0; i < 5; i++)
        timer_set(&ts, &alarms[i].timer, at[i]);
    cr_assert_eq(timer_heap_next(&ts), 10);
    timer_heap_fire(&ts, 50);

    cr_assert_eq(fired_count, 5);
    cr_assert_eq(memcmp(fired, order, sizeof order), 0);
}

Test(timer, setting_again_moves_it_earlier_and_later)
{
    timer_set(&ts, &alarms[0].timer, 100);
    timer_set(&ts, &alarms[1].timer, 200);

    timer_set(&ts, &alarms[1].timer, 50);
    cr_assert_eq(timer_heap_next(&ts), 50);
    timer_set(&ts, &alarms[1].timer, 300);
    cr_assert_eq(timer_heap_next(&ts), 100);
    timer_heap_fire(&ts, 299);
    cr_assert_eq(fired_count, 1);
    timer_heap_fire(&ts, 300);
    cr_assert_eq(fired_count, 2);
}

Test(timer, one_that_is_cleared_never_fires)
{
    timer_set(&ts, &alarms[0].timer, 100);
    timer_clear(&ts, &alarms[0].timer);
    timer_clear(&ts, &alarms[0].timer);

    cr_assert_eq(timer_heap_next(&ts), INT64_MAX);
    timer_heap_fire(&ts, INT64_MAX);
    cr_assert_eq(fired_count, 0);
}

Test(timer, times_before_and_after_all_others_are_allowed)
{
    timer_set(&ts, &alarms[0].timer, INT64_MAX);
    timer_set(&ts, &alarms[1].timer, INT64_MIN);

    timer_heap_fire(&ts, 0);
    cr_assert_eq(fired_count, 1);
    cr_assert_eq(fired[0], 1);
}

/* -- from within a handler ----------------------------------------------- */

static int rounds;

static void
set_again(struct timer *t)
{
    if (++rounds < 3)
        timer_set(&ts, t, t->at_us + 10);
}

Test(timer, a_handler_may_set_its_own_timer_again)
{
    struct timer t;

    timer_init(&t, set_again);
    timer_set(&ts, &t, 0);

    timer_heap_fire(&ts, 0);
    cr_assert_eq(rounds, 1, "the next one is not due yet");
    cr_assert_eq(timer_heap_next(&ts), 10);
    timer_heap_fire(&ts, 100);
    cr_assert_eq(rounds, 3, "what became due meanwhile fires in the same call");
}

static void
free_owner(struct timer *t)
{
    free(container_of(t, struct alarm, timer));
    fired_count++;
}

Test(timer, a_handler_may_free_its_timer)
{
    for (int i = 0; i < 10; i++) {
        struct alarm *a = calloc(1, sizeof *a);

        timer_init(&a->timer, free_owner);
        timer_set(&ts, &a->timer, i);
    }
    timer_heap_fire(&ts, 9);

    cr_assert_eq(fired_count, 10);
    cr_assert_null(ts.root);
}

static void
clear_the_next(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);

    timer_clear(&ts, &a[1].timer);
    fired_count++;
}

Test(timer, a_handler_may_clear_another_that_is_due)
{
    timer_init(&alarms[0].timer, clear_the_next);
    for (int i = 0; i < 3; i++)
        timer_set(&ts, &alarms[i].timer, i);
    timer_heap_fire(&ts, 100);

    cr_assert_eq(fired_count, 2, "the second had been cleared by the first");
}

/* -- against a model ----------------------------------------------------- */

static int64_t
earliest_in_model(void)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < MANY; i++)
        if (alarms[i].set && alarms[i].timer.at_us < least)
            least = alarms[i].timer.at_us;
    return least;
}

static size_t
count_in_model(void)
{
    size_t n = 0;

    for (int i = 0; i < MANY; i++)
        n += alarms[i].set;
    return n;
}

/* Below t and beside it: how many; none is earlier than the one above it. */
static size_t
check_trees(const struct timer *first, const struct timer *above)
{
    const struct timer *before = above;
    size_t n = 0;

    for (const struct timer *t = first; t != NULL; before = t, t = t->after) {
        cr_assert(timer_is_set(t));
        cr_assert_eq(t->before, before);
        cr_assert(above == NULL || t->at_us >= above->at_us);
        n += 1 + check_trees(t->first, t);
    }
    return n;
}

static void
check_heap(void)
{
    cr_assert(ts.root == NULL || ts.root->after == NULL);
    cr_assert_eq(check_trees(ts.root, NULL), count_in_model());
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(timer_is_set(&alarms[i].timer), alarms[i].set);
}

static void
fire_some(int64_t now)
{
    size_t before = count_in_model();

    fired_count = 0;
    timer_heap_fire(&ts, now);
    for (int i = 1; i < fired_count; i++)
        cr_assert_leq(alarms[fired[i - 1]].timer.at_us, alarms[fired[i]].timer.at_us);
    cr_assert_eq(count_in_model(), before - (size_t)fired_count);
    cr_assert_gt(earliest_in_model(), now);
}

static void
random_step(unsigned *seed)
{
    struct alarm *a = &alarms[rand_r(seed) % MANY];
    int what = rand_r(seed) % 10;

    if (what < 6) {
        timer_set(&ts, &a->timer, rand_r(seed) % 2000);
        a->set = true;
    } else if (what < 9) {
        timer_clear(&ts, &a->timer);
        a->set = false;
    } else {
        fire_some(rand_r(seed) % 200);
    }
}

Test(timer, thousands_of_random_operations_agree_with_a_list)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        unsigned state = seed;

        for (int step = 0; step < 5000; step++) {
            random_step(&state);
            cr_assert_eq(timer_heap_next(&ts), earliest_in_model(), "seed %u, step %d", seed, step);
            if (step % 100 == 0)
                check_heap();
        }
    }
}

Test(timer, a_heap_that_has_grown_empties_in_order)
{
    unsigned seed = 7;

    for (int i = 0; i < MANY; i++) {
        timer_set(&ts, &alarms[i].timer, rand_r(&seed) % 100000);
        alarms[i].set = true;
    }
    check_heap();
    fire_some(INT64_MAX - 1);
    cr_assert_eq(fired_count, MANY);
    cr_assert_null(ts.root);
}
