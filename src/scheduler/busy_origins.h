/*
 * busy_origins.h - the busiest origins, and those with an open circuit breaker, for the status.
 *
 * Two lists of fixed length: the origins are as many as callers like.  How busy an origin is lately
 * is known without a cost for each fetch: whoever asks leaves a mark, once a minute at most, and an
 * origin's rate is counted from the mark before the last one.  If nobody has asked for long, the
 * rate is an average over that time.
 *
 * Called on any thread; holds up an engine thread only if that adds or forgets an origin meanwhile.
 */
#ifndef SCHEDULER_BUSY_ORIGINS_H
#define SCHEDULER_BUSY_ORIGINS_H

#include "scheduler/origin_queue.h"

#define BUSY_ORIGINS_MAX       20
#define BUSY_ORIGINS_NAME_SIZE 300 /* a longer name is cut */
#define BUSY_ORIGINS_MARK_US   (60 * (int64_t)1000000)

struct busy_origin {
    int64_t rank; /* by which the list is sorted, highest first */
    char name[BUSY_ORIGINS_NAME_SIZE];
    int64_t in_flight, queued, breakers_open, hops, failures;
    double seconds;    /* that the hops took together */
    double per_second; /* hops, lately */
};

struct busy_origin_list {
    struct busy_origin origins[BUSY_ORIGINS_MAX];
    int count;
};

struct busy_origins {
    struct busy_origin_list busiest, open; /* open: a breaker is open or half-open */
    int64_t known;                         /* origins that are remembered */
};

/* Adds those of one engine thread; begin with a struct of zeros. */
void busy_origins_add(struct busy_origins *b, struct origin_queues *all);

#endif
