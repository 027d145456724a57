/*
 * origin_queue.h - one session's fetches toward one origin, and what is remembered of both.
 *
 * The rate limit and the circuit breaker are the queue's, as their settings are the session's: one
 * session doesn't slow down another.  The retry budget protects the origin, so the queues of all
 * sessions share it.
 *
 * A queue without fetches is kept for the next one while there are few of them, and while it
 * remembers what still matters, up to ORIGIN_QUEUE_MAX.  Used on one engine thread.
 */
#ifndef SCHEDULER_ORIGIN_QUEUE_H
#define SCHEDULER_ORIGIN_QUEUE_H

#include "event/timer.h"
#include "fetch/fetch.h"
#include "limits/circuit_breaker.h"
#include "limits/retry_budget.h"
#include "limits/token_bucket.h"
#include "util/list.h"

#include <pthread.h>

#define ORIGIN_QUEUE_BUCKETS  1024
#define ORIGIN_QUEUE_IDLE_MAX 1024  /* kept although they remember nothing */
#define ORIGIN_QUEUE_MAX      32768 /* past that idle ones are freed, whatever they remember */

/* Written on the engine thread, read on any; of all sessions together. */
struct origin_figures {
    counter in_flight, queued; /* gauges */
    counter breakers_open;     /* gauge, of queues whose breaker is open or half-open */
    counter hops, failures;    /* requests that ended: redirects and retries count, too */
    counter us;                /* what these took together */
};

struct origin {
    struct origin *next;         /* in its bucket; changed under the lock */
    struct origin_queue *queues; /* one a session, the one used last first */
    struct retry_budget budget;
    struct origin_figures figures;
    int64_t mark, older_mark; /* hops at two earlier times; see busy_origins.h */
    char name[];
};

struct origin_queue {
    struct origin_queue *next; /* of the same origin */
    struct origin *origin;
    uint64_t session;      /* the state's id */
    struct link turn;      /* in the scheduler's ring */
    struct link link;      /* among the queues that wait, or the idle ones */
    struct link queue;     /* waiting fetches, the next to start first */
    struct link *last_hop; /* in it: the last one at a later hop; or its head */
    struct timer due;      /* the next token, or the end of the breaker's open state */
    struct origin_queues *all;
    int queued, running;
    struct token_bucket bucket;
    struct circuit_breaker breaker;
};

struct origin_queues {
    struct engine_stats *stats;
    struct timer_heap *timers;
    void (*on_due)(struct timer *t);
    pthread_mutex_t lock; /* held to add or free an origin, and to read them on another thread */
    struct origin *buckets[ORIGIN_QUEUE_BUCKETS];
    int64_t mark_us, older_mark_us; /* when the origins' marks were made; under the lock */
    struct link waiting;            /* queues in which a fetch waits */
    struct link idle;               /* longest idle first */
    size_t count;
};

void origin_queue_init_all(struct origin_queues *all, struct engine_stats *stats,
                           struct timer_heap *timers, void (*on_due)(struct timer *t));

/* Once nothing waits or runs any more. */
void origin_queue_destroy_all(struct origin_queues *all);

/* Found or made; NULL: no memory. */
struct origin_queue *origin_queue_get(struct origin_queues *all,
                                      const struct session_state *session, const char *origin);

/* q->queued and q->running change by these, and the origin's figures; counts_changed() follows. */
void origin_queue_add(struct origin_queue *q, int queued, int running);

/* A hop has ended that began at `started_us`. */
void origin_queue_count_hop(struct origin_queue *q, bool failed, int64_t started_us);

/* Call it when q->queued or q->running have changed. May free q. */
void origin_queue_counts_changed(struct origin_queue *q);

/* The fetch that starts next; the queue is not empty. */
struct curlew_fetch *origin_queue_first(const struct origin_queue *q);

/* The longest queue; NULL: nothing waits. */
struct origin_queue *origin_queue_longest(struct origin_queues *all);

/* When there is a rate-limit token for the first fetch of the queue; 0: now. */
int64_t origin_queue_token_at(struct origin_queue *q);

/* Does the circuit breaker let f pass?  false with f->failure; true: f may be the probe. */
bool origin_queue_try_admit(struct origin_queue *q, struct curlew_fetch *f);

/* Sets f->failure: the circuit is open. */
void origin_queue_reject(struct origin_queue *q, struct curlew_fetch *f);

/*
 * There is a new configuration: what is idle forgets the circuit breaker of a session that was
 * removed, or has none any more.  What is not yet idle does so in origin_queue_record().
 */
void origin_queue_forget_breakers(struct origin_queues *all, const struct config_snapshot *p);

/* The circuit is open, or half-open. */
bool origin_queue_is_rejecting(const struct origin_queue *q);

/* q->due has fired. */
void origin_queue_tick(struct origin_queue *q);

/* What f's end says of its origin.  true: that has opened the circuit breaker. */
bool origin_queue_record(struct origin_queue *q, struct curlew_fetch *f,
                         enum circuit_breaker_outcome outcome);

#endif
