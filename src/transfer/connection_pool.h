/*
 * connection_pool.h - the sockets of one engine thread, busy and idle.
 *
 * libcurl keeps the connections; the pool watches their sockets for it.  A socket is idle once its
 * last transfer has ended.  It is retired past the session's idle_connections or idle_seconds, when
 * the session is reset, when the origin closes it, and, unless it is HTTP/2's, when the origin
 * sends a byte that nobody asked for: shut down, never used again, and closed by libcurl in the
 * next sweep.  No running transfer is cut.
 */
#ifndef TRANSFER_CONNECTION_POOL_H
#define TRANSFER_CONNECTION_POOL_H

#include "event/loop.h"
#include "fetch/fetch.h"
#include "transfer/connection_sweep.h"
#include "util/list.h"

#include <curl/curl.h>

#define CONNECTION_POOL_BUCKETS 256

struct pool_socket;

struct connection_pool {
    struct loop *loop;
    struct engine_stats *stats;
    /* A socket that libcurl waits for is ready. */
    void (*on_ready)(struct connection_pool *p, int fd, int curl_events);
    struct pool_socket **by_fd;
    size_t size;
    struct link idle; /* longest idle first */
    int idle_count;
    int64_t useful_bytes; /* of requests' and responses' bodies and heads, so far */
    int share;            /* sockets of all engine threads together; 0: no limit */
    bool is_short;        /* of descriptors: the idle ones should go */
    struct link retired;  /* shut down; libcurl has still to close them */
    struct connection_sweep sweep;
    uint64_t newest_id;                         /* the highest conn_id so far */
    struct link by_id[CONNECTION_POOL_BUCKETS]; /* sockets whose connection is known */
};

void connection_pool_init(struct connection_pool *p, struct loop *loop, struct engine_stats *stats,
                          CURLM *multi,
                          void (*on_ready)(struct connection_pool *p, int fd, int curl_events));

/* Before the multi handle goes, and with it the connections. */
void connection_pool_stop(struct connection_pool *p);

/* After the multi handle, which closes its sockets. */
void connection_pool_destroy(struct connection_pool *p);

/* Set libcurl's close-socket callback for the transfer; the sockets that it opens are p's. */
void connection_pool_attach(struct curlew_fetch *f, struct connection_pool *p);

/* Open a socket on f's behalf.  -1, with f->failure where no descriptor is left for it. */
int connection_pool_open(struct curlew_fetch *f, int family, int type, int protocol);

/* The request of f's hop goes out on this connection, which may be a new one; never 0. */
void connection_pool_on_request(struct curlew_fetch *f, uint64_t conn_id);

/* Bytes written to that connection which its peer has not acknowledged yet. */
int connection_pool_unsent(const struct connection_pool *p, uint64_t conn_id);

/* CURLMOPT_SOCKETFUNCTION; `pool` is its argument. */
int connection_pool_on_socket(CURL *easy, curl_socket_t fd, int what, void *pool, void *socket);

/* f's hop is off the multi handle: forget the sockets that libcurl has closed silently. */
void connection_pool_hop_done(struct curlew_fetch *f);

/*
 * f's transfer on socket fd (-1: none) has ended, by HTTP/1 or else; `running` are those that go
 * on.  Another may already have begun on it.
 */
void connection_pool_mark_idle(struct connection_pool *p, const struct curlew_fetch *f, int fd,
                               bool http1, const struct link *running);

/*
 * May a request be written on this connection?  Not if it was retired, nor, but for HTTP/2, if it
 * ended or has bytes to read: libcurl 8.23 itself looks once a second only.
 */
bool connection_pool_is_usable(const struct connection_pool *p, uint64_t conn_id);

/* A response begins on this connection, by HTTP/1 or else. */
void connection_pool_on_response(struct connection_pool *p, uint64_t conn_id, bool http1);

/* Has a response by HTTP/1 come on this connection? */
bool connection_pool_was_http1(const struct connection_pool *p, uint64_t conn_id);

/* No further request goes out on this connection; it is retired once no transfer is on it. */
void connection_pool_distrust(struct connection_pool *p, uint64_t conn_id);

/* libcurl has finished with a handle: true where it was the pool's own. */
bool connection_pool_on_finished(struct connection_pool *p, CURL *easy);

/* Retire the idle sockets whose session was reset since they opened. */
void connection_pool_drop_reset(struct connection_pool *p);

/* Retire all idle sockets. */
void connection_pool_drop_idle(struct connection_pool *p);

/* Have descriptors run short since the last call? */
bool connection_pool_take_shortage(struct connection_pool *p);

#endif
