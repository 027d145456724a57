/*
 * breaker.h - an origin that keeps failing is left alone for a while.
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
#ifndef SESSION_BREAKER_H
#define SESSION_BREAKER_H

#include "util/error.h"

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_OFF, BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN, BREAKER_STATES };

enum breaker_outcome {
    OUTCOME_NEITHER, /* says nothing about the origin: cancelled, refused by ourselves, … */
    OUTCOME_WORKED,
    OUTCOME_FAILED,
};

struct breaker_settings {
    int failures;        /* in a row; 0: no breaker */
    double open_seconds; /* above 0 */
};

struct breaker {
    enum breaker_state state;
    int failures;    /* in a row, so far */
    bool probing;    /* half-open: a probe is under way */
    int64_t next_us; /* open: the end of that; half-open: when another probe may follow */
    int64_t idle_us; /* from then on nothing need be remembered */
};

/*
 * What a request that ended so says of its origin: connection failures, a broken protocol, a
 * time-out before the head, silence and 5xx are failures.  `status` 0: no head has come.
 */
enum breaker_outcome breaker_judge(const struct failure *f, int status);

/* May a request go?  `probe`: it is the probe, and breaker_note() must be told of its end. */
bool
breaker_admits(struct breaker *b, const struct breaker_settings *s, int64_t now_us, bool *probe);

/* A request has ended so.  true: that has opened the breaker. */
bool breaker_note(struct breaker *b, const struct breaker_settings *s, enum breaker_outcome outcome,
                  bool probe, int64_t now_us);

void breaker_tick(struct breaker *b, int64_t now_us); /* open no longer, where its time is over */
int breaker_retry_after(const struct breaker *b, int64_t now_us); /* whole seconds, at least 1 */
bool breaker_is_idle(const struct breaker *b, int64_t now_us);    /* nothing to remember */

#endif
