/*
 * deadline.h - how long a fetch may take: its total and its idle timeout.
 *
 * The connect timeout is libcurl's.  Waiting for a slot and connecting count toward the total
 * timeout, not toward the idle one.
 */
#ifndef FETCH_DEADLINE_H
#define FETCH_DEADLINE_H

#include "fetch/fetch.h"

/* Where the total timeout ends, on clock_us()'s clock; INT64_MAX: there is none. */
int64_t deadline_of_total(const struct curlew_fetch *f);

/* When to call deadline_check(): at the first of the two, or before; INT64_MAX: never. */
int64_t deadline_of(const struct curlew_fetch *f);

/*
 * The deadline has passed: 0 where there is a later one by now, -1 with f->failure.  `unsent`:
 * bytes that wait in the kernel, on the way to the origin.  That their number changes is activity.
 */
int deadline_check(struct curlew_fetch *f, int64_t unsent);

/* f has its connection: from now on silence is the origin's. */
void deadline_start_idle(struct curlew_fetch *f);

/* It has passed because f's caller sends no more of its upload: not the origin's fault. */
bool deadline_is_callers(const struct curlew_fetch *f);

#endif
