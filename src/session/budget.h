/*
 * budget.h - how many retries an origin must bear: a fifth of its fetches, over ten seconds.
 *
 * When an origin fails, each fetch of it fails; were each tried three times
 * more, the origin would have four times its load just when it can bear it
 * least.  A few retries are allowed even where there are few fetches.
 */
#ifndef SESSION_BUDGET_H
#define SESSION_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_SECONDS 10 /* counted by the second, the one under way included */
#define BUDGET_PERCENT 20
#define BUDGET_FLOOR   10 /* retries that are always allowed, in these seconds */

struct budget {
    int64_t second; /* the newest that is counted; seconds of clock_us()'s clock */
    uint32_t fetches[BUDGET_SECONDS], retries[BUDGET_SECONDS];
};

void budget_count(struct budget *b, int64_t now_us);         /* a request that is no retry */
bool budget_take(struct budget *b, int64_t now_us);          /* a retry; false: not one more */
bool budget_is_idle(const struct budget *b, int64_t now_us); /* nothing to remember */

#endif
