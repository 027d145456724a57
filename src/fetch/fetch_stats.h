/*
 * fetch_stats.h - a fetch that has ended, in the figures of the engine and of its session.
 */
#ifndef FETCH_FETCH_STATS_H
#define FETCH_FETCH_STATS_H

#include "fetch/fetch.h"

/* Also notes how long it took. */
void fetch_stats_record(struct curlew_fetch *f);

#endif
