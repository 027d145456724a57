/*
 * engine.h - the session engine inside: what the daemon uses beyond curlew.h.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "curlew/curlew.h"
#include "fetch/fetch.h"
#include "session/engine_config.h"
#include "util/metrics.h"

#include <pthread.h>

/* Figures for the metrics and the status page. */
struct engine_stats {
    counter in_flight, queued; /* gauges */
    counter retries_waiting;   /* gauge, fetches between two tries, or in the queue for the next */
    counter retries, retries_refused;
    counter breakers[CIRCUIT_STATES]; /* gauges, by state; that of CIRCUIT_OFF means nothing */
    counter breakers_opened;
    counter connections; /* gauge, sockets open toward origins and proxies */
    counter connections_opened;
    counter connections_reused; /* hops over a connection that was warm */
    counter coalesced;          /* fetches that shared another's transfer */
    counter guard_refusals, guard_reports;
    counter bytes_received, bytes_sent; /* of bodies; received ones decoded */
    struct histogram queue_seconds, first_byte_seconds, fetch_seconds;
};

struct curlew {
    struct engine_worker **threads;
    int thread_count;
    pthread_mutex_t config_lock;    /* held for the moment of a look or a swap */
    pthread_mutex_t change_lock;    /* held by whoever makes the next snapshot */
    struct config_snapshot *config; /* for new fetches */
    atomic_int in_flight_max;       /* that snapshot's, read without the lock */
    atomic_bool draining;           /* new fetches are refused */
    atomic_bool stopping;           /* and those in flight are cancelled */
    struct engine_stats stats;
};

/* NULL with `err`: an egress rule that makes no sense, no memory, no thread. */
struct curlew *engine_new(const struct engine_config *settings, struct failure *err);

/*
 * New fetches go by the new settings (all but `threads`, which stay); -1 with `err`: nothing has
 * changed.
 */
int engine_reload(struct curlew *c, const struct engine_config *settings, struct failure *err);

/*
 * Sessions at run time: create or replace; remove; drop cookies and idle connections.  What is in
 * flight goes on with what it started with.  -1 with `err`: see config_snapshot_with_session() and
 * config_snapshot_without_session().
 */
int engine_put_session(struct curlew *c, const struct session_config *s, struct failure *err);
int engine_remove_session(struct curlew *c, const char *name, struct failure *err);
int engine_reset_session(struct curlew *c, const char *name, struct failure *err);

/* A new reference. */
struct config_snapshot *engine_snapshot(struct curlew *c);

/* 0: taken, and given back by done() on a session thread.  -1: refused, with f->failure. */
int engine_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg);

/* f's proxy, lent by its session, has failed: another for its next try.  -1 with f->failure. */
int engine_change_proxy(struct curlew_fetch *f);

/* The thread that an origin's fetches run on. */
struct engine_worker *engine_worker_for(struct curlew *c, const char *origin);

/* A place has become free: threads other than `by` may have a fetch waiting for it. */
void engine_slot_freed(struct curlew *c, struct engine_worker *by);

/* libcurl's own line: version, TLS, features. */
const char *engine_curl_version(void);

bool engine_has_http2(void);
bool engine_has_http3(void);

#endif
