/*
 * gateway.h - the FastCGI side: listeners, responder threads, and what they share.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "engine/engine.h"
#include "gateway/auth.h"
#include "gateway/listener.h"
#include "gateway/shelf.h"
#include "util/error.h"
#include "util/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct responder;

struct gateway_stats {
    counter connections; /* gauge, from web servers */
    counter parked;      /* gauge, requests that wait for their fetch */
    counter requests;
    counter bodies;    /* gauge, bytes of the bodies of requests being answered */
    counter cancelled; /* requests whose caller left before the answer */
};

struct gateway {
    struct curlew *engine;
    struct listeners *listeners;
    struct auth *auth;
    struct shelf *shelf;
    struct responder **responders;
    int responder_count;
    _Atomic int64_t request_bytes; /* limit of one request's body */
    _Atomic int64_t bodies_bytes;  /* limit of all requests' bodies together */
    atomic_int busy;               /* requests that have begun and not been answered to their end */
    atomic_int accepting;          /* responders that still watch the listeners */
    atomic_bool draining;
    atomic_bool log_access;
    int64_t drain_until_us; /* written before draining */
    time_t started;         /* wall clock */
    struct gateway_stats stats;
};

struct gateway_settings {
    int64_t request_bytes, bodies_bytes;
    bool log_access;
};

/* From now on; safe at any time. */
void gateway_apply(struct gateway *g, const struct gateway_settings *s);

/* Start serving; the engine, the listeners and the auth stay the caller's.  NULL with `err`. */
struct gateway *gateway_new(struct curlew *engine, struct listeners *listeners, struct auth *auth,
                            const struct gateway_settings *s, int responders, struct failure *err);

/*
 * Accept no more, answer what is in flight, at most for so long; what is left then is cancelled.
 * Returns at once: gateway_join() waits.
 */
void gateway_drain(struct gateway *g, int seconds);
void gateway_request_over(
    struct gateway *g); /* one less is busy: in a drain it may have been the last */
void gateway_stop_accepting(
    struct gateway *g); /* a responder has let go; the last one closes the listeners */
void gateway_join(struct gateway *g); /* after gateway_drain(): waits for all to be answered */
void gateway_free(struct gateway *g); /* after gateway_join(), and after the engine was freed */

#endif
