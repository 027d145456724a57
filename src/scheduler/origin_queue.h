/*
 * origin_queue.h - queues: one session's fetches toward one origin, and what is remembered of both.
 *
 * The bucket of rate_limit and the breaker are the queue's, as their settings
 * are the session's: what one session does to itself hurts no other.  The
 * budget of retries protects the origin, so all its queues share it.
 *
 * A queue nobody uses stays for the next fetch while there are few of them, and
 * while it remembers what still matters, up to ORIGIN_QUEUE_MAX.  Of one session
 * thread, as an origin is.
 */
#ifndef SCHEDULER_ORIGIN_QUEUE_H
#define SCHEDULER_ORIGIN_QUEUE_H

#include "event/timer.h"
#include "fetch/fetch.h"
#include "limits/circuit_breaker.h"
#include "limits/retry_budget.h"
#include "limits/token_bucket.h"
#include "util/list.h"

#define ORIGIN_QUEUE_BUCKETS  1024
#define ORIGIN_QUEUE_IDLE_MAX 1024  /* kept although they remember nothing */
#define ORIGIN_QUEUE_MAX      32768 /* from here on idle ones go, whatever they remember */

struct origin {                  /* an origin */
    struct origin *next;         /* in its bucket */
    struct origin_queue *queues; /* one a session, the one used last first */
    struct retry_budget budget;
    char name[];
};

struct origin_queue {
    struct origin_queue *next; /* of the same origin */
    struct origin *origin;
    uint64_t session;  /* the state's id */
    struct link turn;  /* in the scheduler's ring */
    struct link link;  /* among the queues that wait, or the idle ones */
    struct link queue; /* waiting fetches, the next to start first */
    struct timer due;  /* the next token, or the end of the breaker's rest */
    struct origin_queues *home;
    int queued, running;
    struct token_bucket bucket;
    struct circuit_breaker breaker;
};

struct origin_queues {
    struct engine_stats *stats;
    struct timer_heap *timers;
    void (*on_due)(struct timer *t);
    struct origin *buckets[ORIGIN_QUEUE_BUCKETS];
    struct link waiting; /* queues with somebody in the queue */
    struct link idle;    /* longest idle first */
    size_t count;
};

void origin_queue_init_all(struct origin_queues *ls, struct engine_stats *stats,
                           struct timer_heap *timers, void (*on_due)(struct timer *t));

/* Nothing waits or runs any more. */
void origin_queue_destroy_all(struct origin_queues *ls);

/* NULL: no memory. */
struct origin_queue *origin_queue_get(struct origin_queues *ls, const struct session_state *session,
                                      const char *origin);

/* Its counts have changed; may free it. */
void origin_queue_settle(struct origin_queue *l);

/* Of the queue, which is not empty. */
struct curlew_fetch *origin_queue_first(struct origin_queue *l);

/* Its queue; NULL: nobody waits. */
struct origin_queue *origin_queue_longest(struct origin_queues *ls);

/* When there is one for the first of the queue; 0: now. */
int64_t origin_queue_token_at(struct origin_queue *l);

/* Its breaker has an opinion.  false: not now, with f->failure. */
bool origin_queue_try_admit(struct origin_queue *l, struct curlew_fetch *f);

/* Fills f->failure. */
void origin_queue_reject(struct origin_queue *l, struct curlew_fetch *f);

/* Open, or busy with its probe. */
bool origin_queue_is_rejecting(const struct origin_queue *l);

/* `due` has come. */
void origin_queue_tick(struct origin_queue *l);

/* What has become of f says so of its origin.  true: that has opened the breaker. */
bool origin_queue_record(struct origin_queue *l, struct curlew_fetch *f,
                         enum circuit_breaker_outcome outcome);

#endif
