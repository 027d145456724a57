/*
 * coalesce.h - identical GETs in flight share one transfer.
 *
 * The transfer belongs to a fetch of its own, the leader; the callers' fetches
 * are its followers.  Each follower has its own time-out and may leave at any time;
 * the last one to leave cancels the leader.  Identical are: session, URL,
 * headers and every setting that shapes the transfer or its result.  A request
 * with a body, or with credentials or cookies of its own, shares with nobody.
 * Of one session thread.
 */
#ifndef ENGINE_COALESCE_H
#define ENGINE_COALESCE_H

#include "fetch/fetch.h"

#define COALESCE_BUCKETS 256

struct coalesce {
    struct link buckets[COALESCE_BUCKETS]; /* of leaders in flight */
};

void coalesce_init(struct coalesce *c);

/* It asks for it, and may. */
bool coalesce_is_wanted(const struct curlew_fetch *f);

/*
 * Make f a follower, FETCH_FOLLOWING.  NULL: of a leader in flight already, or, with f->failure
 * set, there was no memory; else the new leader, which the caller sends on its way.
 */
struct curlew_fetch *coalesce_join(struct coalesce *c, struct curlew_fetch *f);

/* A follower has left: true where it was the last, and its leader is to be cancelled. */
bool coalesce_detach(struct curlew_fetch *f);

/* When the last follower's total timeout ends; INT64_MAX: one has none. */
int64_t coalesce_latest_deadline(const struct curlew_fetch *leader);

/* The leader is done: take its next follower off, with a copy of the outcome.  NULL: no more. */
struct curlew_fetch *coalesce_next_follower(struct curlew_fetch *leader);

/* Takes no more followers. */
void coalesce_close(struct curlew_fetch *leader);

#endif
