/* politeness.c - a token bucket: how soon the next request may go to an origin. */

#include "session/politeness.h"

#include "base/clock.h"

/* How long until the bucket is full.  A bucket emptied under other settings is no emptier than empty. */
static double
to_full_us(const struct bucket *b, const struct politeness *p, int64_t now_us)
{
    double all = (double)p->burst * US_PER_SECOND / p->rate, left = b->full_us - (double)now_us;

    return left < 0 ? 0 : left < all ? left : all;
}

int64_t
politeness_ready_at(const struct bucket *b, const struct politeness *p, int64_t now_us)
{
    double wait;
    int64_t whole;

    if (p->rate <= 0)
        return now_us;
    wait = to_full_us(b, p, now_us) - (double)(p->burst - 1) * US_PER_SECOND / p->rate;
    if (wait <= 0)
        return now_us;
    whole = (int64_t)wait;
    return now_us + whole + ((double)whole < wait);
}

bool
politeness_take(struct bucket *b, const struct politeness *p, int64_t now_us)
{
    if (p->rate <= 0)
        return true;
    if (politeness_ready_at(b, p, now_us) > now_us)
        return false;
    b->full_us = (double)now_us + to_full_us(b, p, now_us) + US_PER_SECOND / p->rate;
    return true;
}

bool
politeness_is_idle(const struct bucket *b, int64_t now_us)
{
    return b->full_us <= (double)now_us;
}
