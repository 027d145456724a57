/*
 * retry_budget.h - how many retries an origin must bear: a fifth of its fetches, over ten seconds.
 *
 * When an origin fails, each fetch of it fails; were each tried three times
 * more, the origin would have four times its load just when it can bear it
 * least.  A few retries are allowed even where there are few fetches.
 */
#ifndef LIMITS_RETRY_BUDGET_H
#define LIMITS_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_BUDGET_SECONDS 10 /* counted by the second, the one under way included */
#define RETRY_BUDGET_PERCENT 20
#define RETRY_BUDGET_FLOOR   10 /* retries that are always allowed, in these seconds */

struct retry_budget {
    int64_t second; /* the newest that is counted; seconds of clock_us()'s clock */
    uint32_t fetches[RETRY_BUDGET_SECONDS], retries[RETRY_BUDGET_SECONDS];
};

/* A request that is no retry. */
void retry_budget_deposit(struct retry_budget *b, int64_t now_us);

/* A retry; false: not one more. */
bool retry_budget_try_withdraw(struct retry_budget *b, int64_t now_us);

/* Nothing to remember. */
bool retry_budget_is_idle(const struct retry_budget *b, int64_t now_us);

#endif
