/*
 * deadline.h - how long a fetch may take: its total and its idle timeout.
 *
 * The connect timeout is libcurl's.  Waiting for a slot counts toward the total timeout, not toward
 * the idle one.
 */
#ifndef FETCH_DEADLINE_H
#define FETCH_DEADLINE_H

#include "fetch/fetch.h"

/* Where the total timeout ends, on clock_us()'s clock; INT64_MAX: there is none. */
int64_t deadline_of_total(const struct curlew_fetch *f);

/* The first of the two timeouts; INT64_MAX: there is none. */
int64_t deadline_of(const struct curlew_fetch *f);

/*
 * The deadline has passed: 0 where there is a later one by now, -1 with f->failure.  `sent`: bytes
 * of the hop's body that have gone out so far.
 */
int deadline_check(struct curlew_fetch *f, int64_t sent);

#endif
