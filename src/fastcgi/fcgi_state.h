/*
 * fcgi_state.h - the data that the threads of the FastCGI server share, and that of each.
 *
 * Of struct fcgi_server every thread reads, and what changes is atomic.  A struct fcgi_worker
 * belongs to its own thread, but for the inbox and loop_wake().
 */
#ifndef FASTCGI_FCGI_STATE_H
#define FASTCGI_FCGI_STATE_H

#include "event/loop.h"
#include "event/mailbox.h"
#include "util/list.h"
#include "util/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define FCGI_SCRATCH_BYTES 65536

struct accept_watch;
struct curlew;
struct exchange;
struct fcgi_worker;
struct listener_list;

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
    void (*handler)(struct exchange *x); /* the parameters of a request are complete */
    void *handler_data;
    struct fcgi_worker **workers;
    int worker_count;
    _Atomic int64_t request_bytes; /* limit of one request's body */
    _Atomic int64_t bodies_bytes;  /* limit of all requests' bodies together */
    atomic_int busy;               /* requests that have begun and not been answered to their end */
    atomic_int accepting;          /* workers that still watch the listeners */
    atomic_bool draining;
    int64_t drain_until_us; /* written before draining */
    time_t started;         /* wall clock */
    struct fcgi_server_stats stats;
};

struct fcgi_worker {
    struct fcgi_server *server;
    pthread_t thread;
    struct loop loop;
    struct mailbox inbox;    /* fetches that have ended, and streams with something new */
    struct link connections; /* open */
    struct link closing;     /* closed; freed between turns, once their fetches have ended */
    struct link ready;       /* fetches of theirs ended in this turn */
    struct accept_watch *accept_watches; /* one for each listener */
    size_t accept_watch_count;
    bool accepting;
    struct timer accept_timer, drain_timer;
    char scratch[FCGI_SCRATCH_BYTES]; /* to read into, for the moment */
};

#endif
