/*
 * retry.h - whether a failed attempt is followed by another one, and when.
 *
 * Only what may be sent twice (RFC 9110 section 9.2.2, unless the request says otherwise), only
 * after a transient failure, and only with a permit: as many fetches may wait for a retry as may be
 * in flight, and the origin has a retry budget.
 */
#ifndef FETCH_RETRY_H
#define FETCH_RETRY_H

#include "fetch/fetch.h"
#include "limits/retry_budget.h"

/* An attempt that has ended, or whose head has come: what the decision goes by. */
struct retry_attempt {
    const struct retry_policy *policy;
    const char *method;
    int attempts; /* so far, this one included */
    const struct failure *failure;
    const struct response_head *head; /* status 0: no response came */
    int64_t now_us, deadline_us;      /* a retry must start before the deadline */
    uint64_t random;                  /* so that fetches do not all come back at once */
};

/* How long to wait before the next attempt; -1: no other attempt. */
int64_t retry_wait_us(const struct retry_attempt *a);

/*
 * Take a permit, and let the next attempt start at `at_us`.  f keeps the permit until
 * retry_start_attempt() or retry_release().  false: there is no permit.
 */
bool retry_try_schedule(struct curlew_fetch *f, int64_t at_us, struct retry_budget *budget,
                        int64_t now_us);

bool retry_is_scheduled(const struct curlew_fetch *f);

/* Give the permit back, where f has one: there is no other attempt. */
void retry_release(struct curlew_fetch *f);

/* An attempt starts: the hop's first, which adds to its origin's budget, or a retry. */
void retry_start_attempt(struct curlew_fetch *f, struct retry_budget *budget, int64_t now_us);

#endif
