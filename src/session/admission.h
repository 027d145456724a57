/*
 * admission.h - whose turn it is: limits, bounded queues, and a fair turn for each origin.
 *
 * A lane is one session's fetches toward one origin.  Lanes that wait stand in
 * a ring and take turns, so a slow origin with a full lane delays nobody else.
 * A lane without a token of rate_limit waits outside the ring for its time; one
 * whose breaker is open refuses who comes, and sends away who waits.
 * When the queue is full, room is made at the end of the longest lane.
 * Of one session thread; the counts it shares with the others are atomic.
 */
#ifndef SESSION_ADMISSION_H
#define SESSION_ADMISSION_H

#include "session/lane.h"

struct admission {
    struct curlew *engine;
    struct link ring; /* lanes that wait and could start one now, were there a place */
    struct lanes lanes;
};

enum admitted {
    ADMITTED_NOW,   /* f may start; it holds a place until admission_leave() */
    ADMITTED_LATER, /* f waits in its lane; the admission has it */
    ADMITTED_NEVER, /* f->failure: overloaded, the origin is left alone, or no memory */
};

void admission_init(struct admission *a, struct curlew *engine, struct timer_heap *timers);
void admission_destroy(struct admission *a); /* nothing waits or runs any more */

/* `evicted`: another fetch, now failed as overloaded, that had to make room; or NULL. */
enum admitted
admission_arrive(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted);
struct curlew_fetch *admission_next(struct admission *a);          /* may start now; NULL: nobody */
void admission_leave(struct admission *a, struct curlew_fetch *f); /* it no longer runs */

/* f->url is still of the lane f has a place in, and f may start its next hop there at once. */
bool admission_stays(struct curlew_fetch *f);

/* f has ended, or its head has come; before it leaves.  true: its breaker has opened. */
bool admission_note(struct curlew_fetch *f);
struct curlew_fetch *
admission_turn_away(struct admission *a, struct lane *l); /* one that waits for it; NULL: nobody */

struct curlew_fetch *admission_waiting(struct admission *a); /* any that waits; NULL: none */
void admission_withdraw(struct admission *a, struct curlew_fetch *f); /* it no longer waits */

#endif
