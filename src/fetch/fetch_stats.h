/*
 * fetch_stats.h - a fetch that has ended, in the counters of the engine and of its session.
 */
#ifndef FETCH_FETCH_STATS_H
#define FETCH_FETCH_STATS_H

#include "fetch/fetch.h"

/* Also sets the total in its response's timing. */
void fetch_stats_record(struct curlew_fetch *f);

#endif
