/*
 * fcgi_state.h - the data that the threads of the FastCGI server share, and that of each.
 *
 * Of struct fcgi_server every thread reads, and what changes is atomic.  A struct fcgi_worker
 * belongs to its own thread, but for the inbox and loop_wake().
 */
#ifndef FASTCGI_FCGI_STATE_H
#define FASTCGI_FCGI_STATE_H

#include "event/helper_thread.h"
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
struct fcgi_connection;
struct fcgi_worker;
struct listener_list;

struct fcgi_server_stats {
    counter connections; /* gauge, from web servers */
    counter parked;      /* gauge, requests that wait for their fetch */
    counter requests;
    counter bodies;     /* gauge, bytes of the bodies of requests being answered */
    counter large;      /* gauge, exchanges whose work is the reader's or the writer's */
    counter slow_turns; /* of the workers' event loops */
    counter cancelled;  /* requests whose caller left before the answer */
};

struct fcgi_server {
    struct curlew *engine;
    struct listener_list *listeners;
    void (*handler)(struct exchange *x); /* the parameters of a request are complete */
    void *handler_data;
    struct fcgi_worker **workers;
    int worker_count;
    pthread_mutex_t starting;      /* held until all workers are there, and none has begun */
    _Atomic int64_t request_bytes; /* limit of one request's body */
    _Atomic int64_t bodies_bytes;  /* limit of all requests' bodies together */
    int connections_max;           /* beyond it, fetches are refused and idle connections closed */
    int surplus_max;               /* so many more are accepted */
    atomic_bool wants_idle_closed; /* a worker needs a descriptor, and has no idle connection */
    atomic_int busy;               /* requests that have begun and not been answered to their end */
    atomic_int accepting;          /* workers that still watch the listeners */
    atomic_bool draining;
    atomic_bool told_of_cut; /* the log says that requests were cancelled at the drain's end */
    /* For large requests, and for large responses.  NULL: the workers do it themselves. */
    struct helper_thread *reader, *writer;
    int64_t drain_until_us; /* written before draining */
    int64_t started_us;     /* clock_us() */
    int64_t start_time;     /* the same as seconds since the epoch, by the clock of then */
    struct fcgi_server_stats stats;
};

struct fcgi_worker {
    struct fcgi_server *server;
    pthread_t thread;
    struct loop loop;
    struct mailbox inbox;          /* fetches that have ended, and streams with something new */
    struct link connections;       /* open */
    struct link closing;           /* closed; freed between turns, once their fetches have ended */
    struct fcgi_connection *spare; /* for the next one to be accepted; NULL: none */
    struct link idle;              /* open, and between requests: longest first */
    struct link ready;             /* fetches of theirs ended in this turn */
    struct accept_watch *accept_watches; /* one for each listener */
    size_t accept_watch_count;
    bool accepting;
    int reserve_fd; /* given up to accept one connection where no descriptor is left; -1 */
    int64_t last_shortage_us; /* that was logged */
    int64_t last_input_us;    /* when a web server has sent something */
    struct timer accept_timer, drain_timer, quiet_timer;
    char scratch[FCGI_SCRATCH_BYTES]; /* to read into, for the moment */
};

#endif
