/* retry_budget.c - at most a fifth of an origin's fetches are retries, over ten seconds. */

#include "limits/retry_budget.h"

#include "util/clock.h"

/* The index of the current second; seconds that have left the window are set to 0. */
static int
advance(struct retry_budget *b, int64_t now_us)
{
    int64_t now = now_us / US_PER_SECOND;

    if (now - b->second > RETRY_BUDGET_SECONDS)
        b->second = now - RETRY_BUDGET_SECONDS;
    while (b->second < now) {
        b->second++;
        b->fetches[b->second % RETRY_BUDGET_SECONDS] =
            b->retries[b->second % RETRY_BUDGET_SECONDS] = 0;
    }
    return (int)(now % RETRY_BUDGET_SECONDS);
}

static uint64_t
sum(const uint32_t *counts)
{
    uint64_t n = 0;

    for (int i = 0; i < RETRY_BUDGET_SECONDS; i++)
        n += counts[i];
    return n;
}

void
retry_budget_deposit(struct retry_budget *b, int64_t now_us)
{
    b->fetches[advance(b, now_us)]++;
}

bool
retry_budget_try_withdraw(struct retry_budget *b, int64_t now_us)
{
    int i = advance(b, now_us);
    uint64_t most = sum(b->fetches) * RETRY_BUDGET_PERCENT / 100;

    if (sum(b->retries) >= (most > RETRY_BUDGET_FLOOR ? most : RETRY_BUDGET_FLOOR))
        return false;
    b->retries[i]++;
    return true;
}

bool
retry_budget_is_idle(const struct retry_budget *b, int64_t now_us)
{
    return now_us / US_PER_SECOND - b->second >= RETRY_BUDGET_SECONDS;
}
