/* budget.c - how many retries an origin must bear: a fifth of its fetches, over ten seconds. */

#include "session/budget.h"

#include "util/clock.h"

/* The counts of the second under way; those that have become too old are forgotten on the way. */
static int
advance(struct budget *b, int64_t now_us)
{
    int64_t now = now_us / US_PER_SECOND;

    if (now - b->second > BUDGET_SECONDS)
        b->second = now - BUDGET_SECONDS;
    while (b->second < now) {
        b->second++;
        b->fetches[b->second % BUDGET_SECONDS] = b->retries[b->second % BUDGET_SECONDS] = 0;
    }
    return (int)(now % BUDGET_SECONDS);
}

static uint64_t
sum(const uint32_t *counts)
{
    uint64_t n = 0;

    for (int i = 0; i < BUDGET_SECONDS; i++)
        n += counts[i];
    return n;
}

void
budget_count(struct budget *b, int64_t now_us)
{
    b->fetches[advance(b, now_us)]++;
}

bool
budget_take(struct budget *b, int64_t now_us)
{
    int i = advance(b, now_us);
    uint64_t most = sum(b->fetches) * BUDGET_PERCENT / 100;

    if (sum(b->retries) >= (most > BUDGET_FLOOR ? most : BUDGET_FLOOR))
        return false;
    b->retries[i]++;
    return true;
}

bool
budget_is_idle(const struct budget *b, int64_t now_us)
{
    return now_us / US_PER_SECOND - b->second >= BUDGET_SECONDS;
}
