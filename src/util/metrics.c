/* metrics.c - counters and histograms that any thread may raise. */

#include "util/metrics.h"

#include "util/clock.h"

const double metrics_bounds[METRICS_BOUNDS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0 };

void
metrics_observe(struct histogram *h, double seconds)
{
    int i = 0;

    while (i < METRICS_BOUNDS && seconds > metrics_bounds[i])
        i++;
    counter_add(&h->buckets[i], 1);
    counter_add(&h->sum_us, (int64_t)(seconds * US_PER_SECOND));
}

static int64_t
total(const struct histogram *h)
{
    int64_t count = 0;

    for (int i = 0; i <= METRICS_BOUNDS; i++)
        count += counter_read(&h->buckets[i]);
    return count;
}

double
metrics_quantile(const struct histogram *h, double q)
{
    double rank = q * (double)total(h), below = 0;

    if (rank <= 0)
        return 0;
    for (int i = 0; i < METRICS_BOUNDS; i++) {
        double n = (double)counter_read(&h->buckets[i]), from = i > 0 ? metrics_bounds[i - 1] : 0;

        if (n > 0 && below + n >= rank)
            return from + (metrics_bounds[i] - from) * (rank - below) / n;
        below += n;
    }
    return metrics_bounds[METRICS_BOUNDS - 1];
}
