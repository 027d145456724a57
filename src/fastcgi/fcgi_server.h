/*
 * fcgi_server.h - the FastCGI side: listeners, responder threads, and what they share.
 */
#ifndef FASTCGI_FCGI_SERVER_H
#define FASTCGI_FCGI_SERVER_H

#include "engine/engine.h"
#include "fastcgi/listener.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "util/failure.h"
#include "util/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct fcgi_worker;

struct fcgi_server_stats {
    counter connections; /* gauge, from web servers */
    counter parked;      /* gauge, requests that wait for their fetch */
    counter requests;
    counter bodies;    /* gauge, bytes of the bodies of requests being answered */
    counter cancelled; /* requests whose caller left before the answer */
};

struct fcgi_server {
    struct curlew *engine;
    struct listener_list *listeners;
    struct auth *auth;
    struct handoff_store *handoff_store;
    struct fcgi_worker **responders;
    int responder_count;
    _Atomic int64_t request_bytes; /* limit of one request's body */
    _Atomic int64_t bodies_bytes;  /* limit of all requests' bodies together */
    atomic_int busy;               /* requests that have begun and not been answered to their end */
    atomic_int accepting;          /* responders that still watch the listeners */
    atomic_bool draining;
    atomic_bool log_access;
    int64_t drain_until_us; /* written before draining */
    time_t started;         /* wall clock */
    struct fcgi_server_stats stats;
};

struct fcgi_server_config {
    int64_t request_bytes, bodies_bytes;
    bool log_access;
};

/* From now on; safe at any time. */
void fcgi_server_apply(struct fcgi_server *g, const struct fcgi_server_config *s);

/* Start serving; the engine, the listeners and the auth stay the caller's.  NULL with `err`. */
struct fcgi_server *fcgi_server_new(struct curlew *engine, struct listener_list *listeners,
                                    struct auth *auth, const struct fcgi_server_config *s,
                                    int responders, struct failure *err);

/*
 * Accept no more, answer what is in flight, at most for so long; what is left then is cancelled.
 * Returns at once: fcgi_server_join() waits.
 */
void fcgi_server_drain(struct fcgi_server *g, int seconds);

/* One less is busy: in a drain it may have been the last. */
void fcgi_server_request_done(struct fcgi_server *g);

/* A responder has let go; the last one closes the listeners. */
void fcgi_server_stop_accepting(struct fcgi_server *g);

/* After fcgi_server_drain(): waits for all to be answered. */
void fcgi_server_join(struct fcgi_server *g);

/* After fcgi_server_join(), and after the engine was freed. */
void fcgi_server_free(struct fcgi_server *g);

#endif
