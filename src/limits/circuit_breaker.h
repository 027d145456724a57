/*
 * circuit_breaker.h - a circuit breaker: an origin that keeps failing gets no requests for a while.
 *
 *   CLOSED ──(`failures` in a row)──▶ OPEN ──(`open_seconds`)──▶ HALF_OPEN
 *     ▲                                ▲                             │
 *     │                                └──────(the probe fails)──────┤
 *     └──────────────────────────────────(the probe succeeds)────────┘
 *
 * Open, it rejects every request.  Half-open, it lets one through, the probe, and rejects the
 * others; a probe without an outcome after `open_seconds` is followed by another.  Outcomes of
 * requests that started before the breaker opened are ignored.  Pure functions of a given time.
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
    OUTCOME_IGNORED, /* not the origin's doing: cancelled, rejected by ourselves, … */
    OUTCOME_SUCCESS,
    OUTCOME_FAILURE,
};

struct circuit_breaker_config {
    int failures;        /* in a row that open it; 0: no breaker */
    double open_seconds; /* more than 0 */
};

struct circuit_breaker {
    enum circuit_breaker_state state;
    int failures;    /* in a row, so far */
    bool probing;    /* half-open: a probe is in flight */
    int64_t next_us; /* open: when that ends; half-open: when another probe may start */
    int64_t idle_us; /* from then on the state may be forgotten */
};

/*
 * The outcome of a request by its error and status.  Failures: no connection, a protocol error, a
 * timeout before the response head, an idle timeout, and 5xx.  `status` 0: no head has come.
 */
enum circuit_breaker_outcome circuit_breaker_classify(const struct failure *f, int status);

/*
 * Let a request through, or return false.  *probe: it is the probe, and its outcome must be given
 * to circuit_breaker_record().
 */
bool circuit_breaker_try_pass(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                              int64_t now_us, bool *probe);

/* Count the outcome of a request.  true: this has opened the breaker. */
bool circuit_breaker_record(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                            enum circuit_breaker_outcome outcome, bool probe, int64_t now_us);

/* Open becomes half-open if its time is over. */
void circuit_breaker_tick(struct circuit_breaker *b, int64_t now_us);

/* Seconds until it is worth trying again, rounded up, at least 1. */
int circuit_breaker_retry_after(const struct circuit_breaker *b, int64_t now_us);

/* The state may be forgotten: it is that of a new breaker. */
bool circuit_breaker_is_idle(const struct circuit_breaker *b, int64_t now_us);

#endif
