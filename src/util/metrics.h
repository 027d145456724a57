/*
 * metrics.h - counters and histograms that any thread may raise.
 *
 * Relaxed atomics: each figure is exact, two read together may be a moment apart.
 */
#ifndef UTIL_METRICS_H
#define UTIL_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic int64_t counter; /* a typedef, as C has no shorter way to say it in a struct */

static inline void
counter_add(counter *c, int64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

/* Cheaper, where one thread alone writes the counter. */
static inline void
counter_add_alone(counter *c, int64_t n)
{
    int64_t was = atomic_load_explicit(c, memory_order_relaxed);

    atomic_store_explicit(c, was + n, memory_order_relaxed);
}

static inline int64_t
counter_read(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* One more, unless that would be more than `most`; sequentially consistent. */
static inline bool
counter_try_increment(counter *c, int64_t most)
{
    int64_t n = *c;

    /* Adding first and undoing it could make another thread fail below the limit. */
    while (n < most)
        if (atomic_compare_exchange_weak(c, &n, n + 1))
            return true;
    return false;
}

#define METRICS_BOUNDS 15

extern const double metrics_bounds[METRICS_BOUNDS]; /* seconds, upper and inclusive */

struct histogram {
    counter buckets[METRICS_BOUNDS + 1]; /* each on its own, not cumulative; the last is +Inf */
    counter sum_us;
};

void metrics_observe(struct histogram *h, double seconds);

/*
 * An estimate of the value that the share q (0 to 1) of all values does not exceed, as Prometheus'
 * histogram_quantile() makes it: linear within the bucket; the highest bound where it is above
 * that.  0: no values.
 */
double metrics_quantile(const struct histogram *h, double q);

#endif
