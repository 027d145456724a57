/*
 * transfer.h - one hop of a fetch on a libcurl easy handle.
 *
 * Sets every option that the request asks for, and hands the handle to libcurl.  Beside it,
 * response_reader takes what comes in, egress_hooks checks each address, and curl_result says
 * afterwards what libcurl's result means.
 */
#ifndef TRANSFER_TRANSFER_H
#define TRANSFER_TRANSFER_H

#include "fetch/fetch.h"
#include "transfer/connection_pool.h"
#include "transfer/dns_limit.h"
#include "transfer/response_events.h"
#include "transfer/tls_tickets.h"

/* The same for every hop of a thread. */
struct transfer_setup {
    struct connection_pool *pool;
    struct tls_tickets *tickets;
    struct dns_limit *dns_limit;
    const struct response_events *events;
    const char *user_agent; /* where the request has none */
};

/* Set f's handle up for the hop at f->url.  0, or -1 with f->failure. */
int transfer_prepare(struct curlew_fetch *f, const struct transfer_setup *setup);

/* Hand it to the multi handle. -1 with f->failure. */
int transfer_start(struct curlew_fetch *f, CURLM *multi);

/* Take it off the multi handle. The socket it was on, or -1. */
int transfer_stop(struct curlew_fetch *f, CURLM *multi);

/* Libcurl has given it up before it wrote anything, as its connection was no good. */
bool transfer_must_restart(const struct curlew_fetch *f);

/* Then: once more from the start, on another connection.  -1 with f->failure. */
int transfer_restart(struct curlew_fetch *f, CURLM *multi);

/*
 * libcurl has given it up as its connect timeout has passed, most of which it waited for a free
 * stream of a connection that works.  That is no connecting, and its other timeouts limit it.
 */
bool transfer_may_wait_on(const struct curlew_fetch *f, CURLcode result,
                          const struct link *running);

/* Then: wait for so long once more.  -1 with f->failure. */
int transfer_wait_on(struct curlew_fetch *f, CURLM *multi);

/*
 * f's connection could not be made, or is of no use.  Those of the `running` fetches that waited to
 * share it, or might, open their own now: libcurl would let one after the other try.
 */
void transfer_stop_sharing(const struct curlew_fetch *f, struct link *running, CURLM *multi);

/* Has the hop's request been written, as far as libcurl could? */
bool transfer_was_sent(const struct curlew_fetch *f);

/* Did its last response come by HTTP/1? */
bool transfer_was_http1(const struct curlew_fetch *f);

/* The next transfer that libcurl has finished, with its result; NULL: no more. */
struct curlew_fetch *transfer_next_finished(struct connection_pool *pool, CURLM *multi,
                                            CURLcode *result);

/* What belongs to the hop alone (header lines, multipart body) goes. */
void transfer_release(struct curlew_fetch *f);

/* Its connection is not to be used again; closed at once where no other transfer is on it. */
void transfer_forbid_reuse(struct curlew_fetch *f);

/*
 * Go on after a pause; may call the callbacks at once.  -1: what a callback refuses then, libcurl
 * tells here and nowhere else.
 */
int transfer_resume(struct curlew_fetch *f);

/*
 * Under HTTP/2 libcurl queues the RST_STREAM of an abandoned transfer until something else moves on
 * the connection.  So that the origin hears of it at once, let one of the `running` fetches on that
 * connection (0: none) move.
 */
void transfer_flush_resets(struct link *running, uint64_t conn_id);

/*
 * Bytes of its request that libcurl has written and the peer has not acknowledged.  0 where that
 * can't be told, as others of the `running` fetches write to the same connection.
 */
int64_t transfer_bytes_unsent(const struct curlew_fetch *f, const struct link *running);

/* While it ran libcurl was refused memory: what it has done may be less than it should. */
bool transfer_lacked_memory(const struct curlew_fetch *f);

/* Its next hop is another thread's. */
void transfer_leave_thread(struct curlew_fetch *f);

/* On which connection it is; 0: not known yet. */
uint64_t transfer_conn_id(const struct curlew_fetch *f);

#endif
