/*
 * token_bucket.h - a token bucket: how soon the next request may go to an origin.
 *
 * All that is kept is the moment when the bucket will be full again; each
 * token taken puts it off by one interval.  So nothing ticks, a bucket of
 * zeros is full, and new settings hold from the next look on.
 */
#ifndef LIMITS_TOKEN_BUCKET_H
#define LIMITS_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    double rate; /* requests a second; 0: as many as come */
    int burst;   /* of these, at once after a rest; at least 1 */
};

struct token_bucket {
    double full_us; /* on clock_us()'s clock; a double, as an interval is no whole number */
};

/* When there will be a token: `now_us` where there is one. */
int64_t token_bucket_ready_at(struct token_bucket *b, const struct rate_limit *p, int64_t now_us);

/* false: there is none, and nothing is taken. */
bool token_bucket_try_take(struct token_bucket *b, const struct rate_limit *p, int64_t now_us);

/* Full: nothing to remember. */
bool token_bucket_is_full(const struct token_bucket *b, int64_t now_us);

#endif
