/*
 * deadline.h - how long a fetch may take: its total and its idle time-out.
 *
 * Connecting has a time-out of its own, which is libcurl's.  Waiting for a
 * turn is within the total, and no silence.
 */
#ifndef FETCH_DEADLINE_H
#define FETCH_DEADLINE_H

#include "fetch/fetch.h"

/* Where the total timeout ends, on clock_us()'s clock; INT64_MAX: there is none. */
int64_t deadline_of_total(const struct curlew_fetch *f);

/* On clock_us()'s clock; INT64_MAX: none. */
int64_t deadline_of(const struct curlew_fetch *f);

/*
 * What was its deadline has come: 0, it has another now; -1 with f->failure.  `sent`: bytes of the
 * hop's body that have gone out so far.
 */
int deadline_check(struct curlew_fetch *f, int64_t sent);

#endif
