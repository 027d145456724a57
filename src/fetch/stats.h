/*
 * stats.h - the counters of one engine, for the metrics and the status page.
 *
 * Every part that counts is given a pointer, so that none needs to know the engine.  Atomic: the
 * threads of the engine add to them, and any thread may read them.
 */
#ifndef FETCH_STATS_H
#define FETCH_STATS_H

#include "fetch/resend.h"
#include "limits/circuit_breaker.h"
#include "util/metrics.h"

struct engine_stats {
    counter in_flight, queued; /* gauges */
    counter retries_waiting;   /* gauge, fetches between two attempts, or queued for the next */
    counter retries, retries_refused;
    counter resends[RESEND_REASONS];  /* writings that libcurl decided on; [0] stays 0 */
    counter breakers[CIRCUIT_STATES]; /* gauges, by state; that of CIRCUIT_OFF means nothing */
    counter breakers_opened;
    counter connections; /* gauge, sockets open toward origins and proxies */
    counter sockets;     /* gauge, the same with those that are shut down: descriptors in use */
    counter connections_opened;
    counter connections_reused; /* hops over a connection that was warm */
    counter coalesced;          /* fetches that shared another's transfer */
    counter guard_refusals, guard_reports;
    counter lookups_refused;            /* as too many were given up and go on */
    counter slow_turns;                 /* of the threads' event loops */
    counter bytes_received, bytes_sent; /* of bodies; received ones decoded */
    struct histogram queue_seconds, first_byte_seconds, fetch_seconds;
};

#endif
