/*
 * lane.h - lanes: one session's fetches toward one origin, and what is remembered of both.
 *
 * The bucket of rate_limit and the breaker are the lane's, as their settings
 * are the session's: what one session does to itself hurts no other.  The
 * budget of retries protects the origin, so all its lanes share it.
 *
 * A lane nobody uses stays for the next fetch while there are few of them, and
 * while it remembers what still matters, up to LANES_MAX.  Of one session
 * thread, as an origin is.
 */
#ifndef SESSION_LANE_H
#define SESSION_LANE_H

#include "event/timer.h"
#include "fetch/fetch.h"
#include "limits/circuit_breaker.h"
#include "limits/retry_budget.h"
#include "limits/token_bucket.h"
#include "util/list.h"

#define LANES_BUCKETS  1024
#define LANES_IDLE_MAX 1024  /* kept although they remember nothing */
#define LANES_MAX      32768 /* from here on idle ones go, whatever they remember */

struct site {           /* an origin */
    struct site *next;  /* in its bucket */
    struct lane *lanes; /* one a session, the one used last first */
    struct retry_budget budget;
    char name[];
};

struct lane {
    struct lane *next; /* of the same origin */
    struct site *site;
    uint64_t session;  /* the state's id */
    struct link turn;  /* in the admission's ring */
    struct link shelf; /* among the lanes that wait, or the idle ones */
    struct link queue; /* waiting fetches, the next to start first */
    struct timer due;  /* the next token, or the end of the breaker's rest */
    struct lanes *home;
    int queued, running;
    struct token_bucket bucket;
    struct circuit_breaker breaker;
};

struct lanes {
    struct curlew *engine;
    struct timer_heap *timers;
    void (*on_due)(struct timer *t);
    struct site *buckets[LANES_BUCKETS];
    struct link waiting; /* lanes with somebody in the queue */
    struct link idle;    /* longest idle first */
    size_t count;
};

void lanes_init(struct lanes *ls, struct curlew *engine, struct timer_heap *timers,
                void (*on_due)(struct timer *t));
void lanes_destroy(struct lanes *ls); /* nothing waits or runs any more */

struct lane *lane_of(struct lanes *ls, const struct session_state *session,
                     const char *origin);        /* NULL: no memory */
void lane_settle(struct lane *l);                /* its counts have changed; may free it */
struct curlew_fetch *lane_first(struct lane *l); /* of the queue, which is not empty */
struct lane *lanes_longest(struct lanes *ls);    /* its queue; NULL: nobody waits */
int64_t lane_token_at(struct lane *l); /* when there is one for the first of the queue; 0: now */

/* Its breaker has an opinion.  false: not now, with f->failure. */
bool lane_admits(struct lane *l, struct curlew_fetch *f);
void lane_refuse(struct lane *l, struct curlew_fetch *f); /* fills f->failure */
bool lane_is_shut(const struct lane *l);                  /* open, or busy with its probe */
void lane_tick(struct lane *l);                           /* `due` has come */

/* What has become of f says so of its origin.  true: that has opened the breaker. */
bool lane_note(struct lane *l, struct curlew_fetch *f, enum circuit_breaker_outcome outcome);

#endif
