/*
 * coalesce.h - single flight: identical GETs share one transfer.
 *
 * The transfer belongs to a fetch of its own, the leader; the callers' fetches are its followers.
 * Each follower has its own total timeout and may leave at any time; when the last one leaves, the
 * leader fails as that one did.  Identical means: the session, the URL, the headers, and every
 * setting that affects the transfer or its result.  A request with a body, or with credentials or
 * cookies of its own, is never shared.  Used on one engine thread.
 */
#ifndef ENGINE_COALESCE_H
#define ENGINE_COALESCE_H

#include "fetch/fetch.h"

#define COALESCE_BUCKETS 256

struct coalesce {
    struct link buckets[COALESCE_BUCKETS]; /* of leaders in flight */
};

void coalesce_init(struct coalesce *all);

/* Does the request ask for it, and may it be shared? */
bool coalesce_is_wanted(const struct curlew_fetch *f);

/*
 * Make f a follower, FETCH_FOLLOWING.  Returns its leader if that is a new one, which the caller
 * starts; NULL where the leader is in flight already, or, with f->failure, there is no memory.
 */
struct curlew_fetch *coalesce_join(struct coalesce *all, struct curlew_fetch *f);

/*
 * A follower leaves, of its failure.  Returns its leader if it was the last, which the caller makes
 * fail of the same; otherwise NULL.
 */
struct curlew_fetch *coalesce_detach(struct curlew_fetch *f);

/* When the last follower's total timeout ends; INT64_MAX: one has none. */
int64_t coalesce_latest_deadline(const struct curlew_fetch *leader);

/*
 * The leader is done, or an attempt of it is and the next one comes at until_us (INT64_MAX: never):
 * `taken` becomes a list of its followers whose timeout ends before that.
 */
void coalesce_take_impatient(struct curlew_fetch *leader, int64_t until_us, struct link *taken);

/* The next of them, with a copy of the leader's result.  NULL: no more. */
struct curlew_fetch *coalesce_next_follower(struct curlew_fetch *leader, struct link *taken);

/* It takes no more followers. */
void coalesce_close(struct curlew_fetch *leader);

#endif
