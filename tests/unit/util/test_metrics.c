/* test_metrics.c - counters and histograms that any thread may raise. */

#include "util/metrics.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define THREADS 4
#define ROUNDS  20000

static struct histogram h;
static counter c;

static int64_t
bucket(int i)
{
    return counter_read(&h.buckets[i]);
}

static int64_t
observations(void)
{
    int64_t n = 0;

    for (int i = 0; i <= METRICS_BOUNDS; i++)
        n += bucket(i);
    return n;
}

Test(metrics, a_bound_belongs_to_its_own_bucket)
{
    for (int i = 0; i < METRICS_BOUNDS; i++) {
        metrics_observe(&h, metrics_bounds[i]);
        cr_assert_eq(bucket(i), 1, "bound %d", i);
    }
    cr_assert_eq(bucket(METRICS_BOUNDS), 0);
}

Test(metrics, what_is_just_over_a_bound_falls_into_the_next_bucket)
{
    for (int i = 0; i < METRICS_BOUNDS; i++) {
        metrics_observe(&h, metrics_bounds[i] * 1.000001);
        cr_assert_eq(bucket(i + 1), 1, "bound %d", i);
    }
    cr_assert_eq(bucket(0), 0);
}

Test(metrics, nothing_and_a_day_are_counted_too)
{
    metrics_observe(&h, 0.0);
    metrics_observe(&h, 86400.0);

    cr_assert_eq(bucket(0), 1);
    cr_assert_eq(bucket(METRICS_BOUNDS), 1);
    cr_assert_eq(counter_read(&h.sum_us), INT64_C(86400000000));
}

Test(metrics, bounds_rise)
{
    for (int i = 1; i < METRICS_BOUNDS; i++)
        cr_assert_gt(metrics_bounds[i], metrics_bounds[i - 1]);
}

Test(metrics, a_gauge_goes_down_again)
{
    counter_add(&c, 5);
    counter_add(&c, -7);

    cr_assert_eq(counter_read(&c), -2);
    counter_add_alone(&c, 3);
    cr_assert_eq(counter_read(&c), 1);
}

Test(metrics, no_values_have_no_quantile)
{
    cr_assert_eq(metrics_quantile(&h, 0.99), 0);
}

/* The examples of histogram_quantile() in Prometheus' documentation, with our bounds. */
Test(metrics, a_quantile_is_linear_within_its_bucket)
{
    for (int i = 0; i < 90; i++)
        metrics_observe(&h, 0.02); /* in (0.01, 0.025] */
    for (int i = 0; i < 10; i++)
        metrics_observe(&h, 0.2); /* in (0.1, 0.25] */

    cr_assert_float_eq(metrics_quantile(&h, 0.45), 0.01 + 0.015 * 45 / 90, 1e-9);
    cr_assert_float_eq(metrics_quantile(&h, 0.9), 0.025, 1e-9);
    cr_assert_float_eq(metrics_quantile(&h, 0.95), 0.1 + 0.15 * 5 / 10, 1e-9);
    cr_assert_float_eq(metrics_quantile(&h, 1), 0.25, 1e-9);
}

Test(metrics, a_quantile_beyond_the_bounds_is_the_last_bound)
{
    metrics_observe(&h, 3600);

    cr_assert_eq(metrics_quantile(&h, 0.5), metrics_bounds[METRICS_BOUNDS - 1]);
}

static void *
raise_both(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        counter_add(&c, 1);
        metrics_observe(&h, 0.002);
    }
    return NULL;
}

Test(metrics, loses_nothing_when_threads_raise_at_once)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, raise_both, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    cr_assert_eq(counter_read(&c), THREADS * ROUNDS);
    cr_assert_eq(bucket(1), THREADS * ROUNDS);
    cr_assert_eq(observations(), THREADS * ROUNDS);
    cr_assert_eq(counter_read(&h.sum_us), INT64_C(2000) * THREADS * ROUNDS);
}
