/*
 * token_bucket.h - rate limiting by a token bucket: when the next request may go to an origin.
 *
 * The state is the time when the bucket will be full again; each token taken moves it by one
 * interval.  So no timer is needed, a bucket of zeros is full, and new settings apply at once.
 */
#ifndef LIMITS_TOKEN_BUCKET_H
#define LIMITS_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    double rate; /* requests a second; 0: no limit */
    int burst;   /* requests at once when the bucket is full; at least 1 */
};

struct token_bucket {
    double full_us; /* by clock_us(); a double, as an interval is no whole number */
};

/* When a token will be there; `now_us` if one is. */
int64_t token_bucket_ready_at(struct token_bucket *b, const struct rate_limit *p, int64_t now_us);

/* Take a token; false: there is none. */
bool token_bucket_try_take(struct token_bucket *b, const struct rate_limit *p, int64_t now_us);

/* Full: the state may be forgotten. */
bool token_bucket_is_full(const struct token_bucket *b, int64_t now_us);

#endif
