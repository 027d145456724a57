/*
 * retry_budget.h - at most a fifth of an origin's fetches are retries, over ten seconds.
 *
 * When an origin fails, all its fetches fail.  If each were retried three times, an overloaded
 * origin would get four times its load.  A few retries are allowed even if there are few fetches.
 */
#ifndef LIMITS_RETRY_BUDGET_H
#define LIMITS_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_BUDGET_SECONDS 10 /* the window, the current second included */
#define RETRY_BUDGET_PERCENT 20
#define RETRY_BUDGET_FLOOR   10 /* retries in a window that are always allowed */

struct retry_budget {
    int64_t second; /* the newest one counted, by clock_us() */
    uint32_t fetches[RETRY_BUDGET_SECONDS], retries[RETRY_BUDGET_SECONDS];
};

/* Count a request that is no retry. */
void retry_budget_deposit(struct retry_budget *b, int64_t now_us);

/* Count a retry; false: the budget is used up, and nothing is counted. */
bool retry_budget_try_withdraw(struct retry_budget *b, int64_t now_us);

/* The whole window has passed: the state may be forgotten. */
bool retry_budget_is_idle(const struct retry_budget *b, int64_t now_us);

#endif
