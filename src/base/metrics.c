/* metrics.c - counters and histograms that any thread may raise. */

#include "base/metrics.h"

#include "base/clock.h"

const double histogram_bounds[HISTOGRAM_BOUNDS] = { 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                    0.05,  0.1,    0.25,  0.5,  1.0,
                                                    2.5,   5.0,    10.0,  30.0, 60.0 };

void
histogram_observe(struct histogram *h, double seconds)
{
    int i = 0;

    while (i < HISTOGRAM_BOUNDS && seconds > histogram_bounds[i])
        i++;
    counter_add(&h->buckets[i], 1);
    counter_add(&h->sum_us, (int64_t)(seconds * US_PER_SECOND));
}
