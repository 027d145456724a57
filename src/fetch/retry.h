/*
 * retry.h - whether a failed try is followed by another one, and when.
 *
 * Only what may be sent twice (RFC 9110 section 9.2.2, unless the request
 * says otherwise), only after trouble that may pass, and only with leave:
 * of the request's count, its total time-out, the origin's breaker and the
 * origin's budget.  A stream may be tried again until its head is published.
 */
#ifndef FETCH_RETRY_H
#define FETCH_RETRY_H

#include "fetch/fetch.h"

/* No connection, or one that was cut; not what would happen again, like a bad certificate. */
bool retry_may_pass(const struct failure *f);

/*
 * The try is over, or, of a stream, its head has come: is there to be another?  Then f->again and
 * f->again_us are set, and it counts among those that wait until retry_count() or retry_forgo().
 * f still holds its place.
 */
bool retry_grant(struct curlew_fetch *f);
void retry_forgo(struct curlew_fetch *f);

/* Forget what came of this try, and take another proxy if that was it.  -1 with another failure. */
int retry_renew(struct curlew_fetch *f);

/* A try starts: the first at this hop, which adds to its origin's budget, or another one. */
void retry_count(struct curlew_fetch *f, int64_t now_us);

#endif
