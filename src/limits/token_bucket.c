/* token_bucket.c - rate limiting by a token bucket: when the next request may go to an origin. */

#include "limits/token_bucket.h"

#include "util/clock.h"

/* Once in 30 years.  The interval of a lower one would be no number of microseconds. */
#define RATE_MIN 1e-9

static double
interval_us(const struct rate_limit *p)
{
    return US_PER_SECOND / (p->rate > RATE_MIN ? p->rate : RATE_MIN);
}

/* The time until it is full; at most that of an empty one, as the settings may have changed. */
static double
settle(struct token_bucket *b, const struct rate_limit *p, int64_t now_us)
{
    double all = p->burst * interval_us(p), now = (double)now_us;

    if (b->full_us < now)
        b->full_us = now;
    if (b->full_us > now + all)
        b->full_us = now + all;
    return b->full_us - now;
}

int64_t
token_bucket_ready_at(struct token_bucket *b, const struct rate_limit *p, int64_t now_us)
{
    double wait;
    int64_t whole;

    if (p->rate <= 0)
        return now_us;
    wait = settle(b, p, now_us) - (p->burst - 1) * interval_us(p);
    if (wait <= 0)
        return now_us;
    whole = (int64_t)wait;
    return now_us + whole + ((double)whole < wait);
}

bool
token_bucket_try_take(struct token_bucket *b, const struct rate_limit *p, int64_t now_us)
{
    if (p->rate <= 0)
        return true;
    if (token_bucket_ready_at(b, p, now_us) > now_us)
        return false;
    b->full_us += interval_us(p);
    return true;
}

bool
token_bucket_is_full(const struct token_bucket *b, int64_t now_us)
{
    return b->full_us <= (double)now_us;
}
