/*
 * scheduler.h - whose turn it is: limits, bounded queues, and a fair turn for each origin.
 *
 * A queue is one session's fetches toward one origin.  Queues that wait stand in
 * a ring and take turns, so a slow origin with a full queue delays nobody else.
 * A queue without a token of rate_limit waits outside the ring for its time; one
 * whose breaker is open refuses who comes, and sends away who waits.
 * When the queue is full, room is made at the end of the longest queue.
 * Of one session thread; the counts it shares with the others are atomic.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "scheduler/origin_queue.h"

struct scheduler {
    struct engine_stats *stats;
    const atomic_int *in_flight_max; /* limits.in_flight of the newest configuration */
    struct link ring; /* queues that wait and could start one now, were there a place */
    struct origin_queues queues;
};

enum scheduled {
    SCHEDULED_NOW,      /* f may start; it holds a place until scheduler_release() */
    SCHEDULED_QUEUED,   /* f waits in its queue; the scheduler has it */
    SCHEDULED_REJECTED, /* f->failure: overloaded, the origin is left alone, or no memory */
};

void scheduler_init(struct scheduler *a, struct engine_stats *stats, const atomic_int *in_flight_max,
                    struct timer_heap *timers);

/* Nothing waits or runs any more. */
void scheduler_destroy(struct scheduler *a);

/* `evicted`: another fetch, now failed as overloaded, that had to make room; or NULL. */
enum scheduled scheduler_enqueue(struct scheduler *a, struct curlew_fetch *f,
                                 struct curlew_fetch **evicted);

/* May start now; NULL: nobody. */
struct curlew_fetch *scheduler_next(struct scheduler *a);

/* It no longer runs. */
void scheduler_release(struct scheduler *a, struct curlew_fetch *f);

/* f->url is still of the queue f has a place in, and f may start its next hop there at once. */
bool scheduler_try_keep_slot(struct curlew_fetch *f);

/* f has a slot: is its origin's circuit open? */
bool scheduler_is_rejecting(const struct curlew_fetch *f);

/* Of f's origin; f has a slot. */
struct retry_budget *scheduler_retry_budget(const struct curlew_fetch *f);

/* f's head has come: where f is the probe, the others need not wait for the end of its body. */
void scheduler_record_head(struct curlew_fetch *f);

/* f has ended, or its head has come; before it leaves.  true: its breaker has opened. */
bool scheduler_record_outcome(struct curlew_fetch *f);

/* Fail one that waits in the queue in which f has a slot, and take it out; NULL: nobody waits. */
struct curlew_fetch *scheduler_reject_waiting(struct scheduler *a, struct curlew_fetch *f);

/* Any that waits; NULL: none. */
struct curlew_fetch *scheduler_any_waiting(struct scheduler *a);

/* It no longer waits. */
void scheduler_withdraw(struct scheduler *a, struct curlew_fetch *f);

#endif
