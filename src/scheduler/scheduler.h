/*
 * scheduler.h - which fetch may start: limits, bounded queues, round robin over the origins.
 *
 * A queue holds one session's fetches toward one origin.  Queues that wait form a ring and take
 * turns, so a slow origin with a full queue delays nobody else.  A queue without a rate-limit token
 * leaves the ring until its timer fires.  One whose circuit breaker is open rejects new fetches and
 * fails the queued ones.  When the queues together are full, the longest makes room at its end.
 *
 * Used on one engine thread; the counters that it shares with the others are atomic.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "scheduler/origin_queue.h"

struct scheduler {
    struct engine_stats *stats;
    const atomic_int *in_flight_max; /* limits.in_flight of the newest configuration */
    struct link ring; /* queues that wait, and could start a fetch now if there were a slot */
    struct origin_queues queues;
};

enum scheduled {
    SCHEDULED_NOW,      /* f may start; it holds a slot until scheduler_release() */
    SCHEDULED_QUEUED,   /* f waits in its queue */
    SCHEDULED_REJECTED, /* f->failure: overloaded, the circuit is open, or no memory */
};

void scheduler_init(struct scheduler *s, struct engine_stats *stats,
                    const atomic_int *in_flight_max, struct timer_heap *timers);

/* Once nothing waits or runs any more. */
void scheduler_destroy(struct scheduler *s);

/* `evicted`: another fetch that had to make room, with `overloaded` in f->failure; or NULL. */
enum scheduled scheduler_enqueue(struct scheduler *s, struct curlew_fetch *f,
                                 struct curlew_fetch **evicted);

/* One that may start now, with a slot; NULL: none. */
struct curlew_fetch *scheduler_next(struct scheduler *s);

/* f no longer runs: gives its slot back. */
void scheduler_release(struct scheduler *s, struct curlew_fetch *f);

/*
 * f, which has a slot, goes on to f->url: true where that is the same origin, and f may start there
 * at once.  Then it has taken a rate-limit token.
 */
bool scheduler_try_keep_slot(struct curlew_fetch *f);

/* f has a slot: is its origin's circuit open? */
bool scheduler_is_rejecting(const struct curlew_fetch *f);

/* Of f's origin; f has a slot. */
struct retry_budget *scheduler_retry_budget(const struct curlew_fetch *f);

/* A hop of f has ended, well or with f->failure: in the figures of its origin. */
void scheduler_count_hop(const struct curlew_fetch *f);

/* f's head has come: where f is the probe, the others need not wait for the end of its body. */
void scheduler_record_head(struct curlew_fetch *f);

/* f has ended; before scheduler_release().  true: that has opened the circuit breaker. */
bool scheduler_record_outcome(struct curlew_fetch *f);

/* Fail one that waits in the queue in which f has a slot, and take it out; NULL: nobody waits. */
struct curlew_fetch *scheduler_reject_waiting(struct scheduler *s, struct curlew_fetch *f);

/* Any that waits; NULL: none. */
struct curlew_fetch *scheduler_any_waiting(struct scheduler *s);

/* f no longer waits. */
void scheduler_withdraw(struct scheduler *s, struct curlew_fetch *f);

#endif
