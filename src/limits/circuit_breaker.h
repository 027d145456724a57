/*
 * circuit_breaker.h - an origin that keeps failing is left alone for a while.
 *
 *   CLOSED ──(`failures` in a row)──▶ OPEN ──(`open_seconds`)──▶ HALF_OPEN
 *     ▲                                ▲                             │
 *     │                                └──────(the probe fails)──────┤
 *     └────────────────────────────────────(the probe works)─────────┘
 *
 * Open, it refuses everybody.  Half-open, it lets one probe pass and refuses
 * the others; a probe of which nothing is heard for `open_seconds` is followed
 * by another.  What had begun before the breaker opened no longer counts.
 */
#ifndef LIMITS_CIRCUIT_BREAKER_H
#define LIMITS_CIRCUIT_BREAKER_H

#include "util/failure.h"

#include <stdbool.h>
#include <stdint.h>

enum circuit_breaker_state {
    CIRCUIT_OFF,
    CIRCUIT_CLOSED,
    CIRCUIT_OPEN,
    CIRCUIT_HALF_OPEN,
    CIRCUIT_STATES
};

enum circuit_breaker_outcome {
    OUTCOME_IGNORED, /* says nothing about the origin: cancelled, refused by ourselves, … */
    OUTCOME_SUCCESS,
    OUTCOME_FAILURE,
};

struct circuit_breaker_config {
    int failures;        /* in a row; 0: no breaker */
    double open_seconds; /* above 0 */
};

struct circuit_breaker {
    enum circuit_breaker_state state;
    int failures;    /* in a row, so far */
    bool probing;    /* half-open: a probe is under way */
    int64_t next_us; /* open: the end of that; half-open: when another probe may follow */
    int64_t idle_us; /* from then on nothing need be remembered */
};

/*
 * What a request that ended so says of its origin: connection failures, a broken protocol, a
 * time-out before the head, silence and 5xx are failures.  `status` 0: no head has come.
 */
enum circuit_breaker_outcome circuit_breaker_classify(const struct failure *f, int status);

/*
 * May a request go?  `probe`: it is the probe, and circuit_breaker_record() must be told of its
 * end.
 */
bool circuit_breaker_try_pass(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                              int64_t now_us, bool *probe);

/* A request has ended so.  true: that has opened the breaker. */
bool circuit_breaker_record(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                            enum circuit_breaker_outcome outcome, bool probe, int64_t now_us);

/* Open no longer, where its time is over. */
void circuit_breaker_tick(struct circuit_breaker *b, int64_t now_us);

/* Whole seconds, at least 1. */
int circuit_breaker_retry_after(const struct circuit_breaker *b, int64_t now_us);

/* Nothing to remember. */
bool circuit_breaker_is_idle(const struct circuit_breaker *b, int64_t now_us);

#endif
