/*
 * coalesce.h - identical GETs in flight share one transfer.
 *
 * The transfer belongs to a fetch of its own, the host; the callers' fetches
 * are its guests.  Each guest has its own time-out and may leave at any time;
 * the last one to leave cancels the host.  Identical are: session, URL,
 * headers and every setting that shapes the transfer or its result.  A request
 * with a body, or with credentials or cookies of its own, shares with nobody.
 * Of one session thread.
 */
#ifndef SESSION_COALESCE_H
#define SESSION_COALESCE_H

#include "fetch/fetch.h"

#define COALESCE_BUCKETS 256

struct coalesce {
    struct link buckets[COALESCE_BUCKETS]; /* of hosts in flight */
};

void coalesce_init(struct coalesce *c);

bool coalesce_wanted(const struct curlew_fetch *f); /* it asks for it, and may */

/*
 * Make f a guest, FETCH_SHARING.  NULL: of a host in flight already, or, with f->failure set, there
 * was no memory; else the new host, which the caller sends on its way.
 */
struct curlew_fetch *coalesce_join(struct coalesce *c, struct curlew_fetch *f);

/* A guest has left: true where it was the last, and its host is to be cancelled. */
bool coalesce_leave(struct curlew_fetch *f);

/* The host is done: take its next guest off, with a copy of the outcome.  NULL: no more. */
struct curlew_fetch *coalesce_next_guest(struct curlew_fetch *host);

void coalesce_forget(struct curlew_fetch *host); /* takes no more guests */

#endif
