/* transfer_progress.c - what libcurl tells of a transfer under way: it stops floods. */

#include "transfer/transfer_progress.h"

#include "transfer/connection_pool.h"
#include "transfer/hop.h"
#include "util/clock.h"

#define EMPTY_READS  64 /* in one turn of the loop, … */
#define EMPTY_US     (250 * US_PER_MS)
#define USEFUL_BYTES 1024 /* … while fewer than this are sent or received on the thread */

/*
 * libcurl reads a proxy's answer to CONNECT byte by byte, for as long as there are any: without a
 * limit this thread would not get out of it.  For each byte it calls this.
 */
static int
count_connect_byte(struct curlew_fetch *f)
{
    if (f->proxy_host == NULL || f->hop->requested ||
        ++f->hop->connect_bytes <= TRANSFER_PROGRESS_CONNECT_MAX)
        return 0;
    return failure_set(&f->failure, ERROR_PROXY_FAILED,
                       "the proxy's answer to CONNECT is over %d bytes",
                       TRANSFER_PROGRESS_CONNECT_MAX);
}

/*
 * Where an origin sends faster than libcurl reads, curl_multi_socket_action() does not return, and
 * this thread's other transfers wait.  Of a body that lasts until max_body_bytes; frames of HTTP/2,
 * padding and chunk extensions have no limit.  libcurl reads 16 KB or more between two calls.
 * Under HTTP/2 they may be another transfer's: so the bytes of all count.
 */
static int
count_empty_read(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;
    const struct connection_pool *p = hop->pool;

    if (!hop->requested)
        return 0;
    if (hop->read_us < p->loop->now_us || p->useful_bytes >= hop->read_bytes + USEFUL_BYTES) {
        hop->read_us = clock_us();
        hop->read_bytes = p->useful_bytes;
        hop->empty_reads = 0;
    }
    if (++hop->empty_reads <= EMPTY_READS || clock_us() < hop->read_us + EMPTY_US)
        return 0;
    hop_set(hop, CURLOPT_FORBID_REUSE, 1L);
    return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                       "the origin sends without end what is no part of a response");
}

/* Bytes that go out keep the idle timeout away; no other callback of libcurl's tells of them. */
int
transfer_progress_check(struct curlew_fetch *f, int64_t sent)
{
    if (sent != f->sent) {
        f->hop->pool->useful_bytes += sent > f->sent ? sent - f->sent : 0;
        f->sent = sent;
        f->active_us = clock_us();
    }
    return count_connect_byte(f) != 0 || count_empty_read(f) != 0 ? -1 : 0;
}

static int
on_progress(void *hop, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
            curl_off_t sent)
{
    (void)to_receive, (void)received, (void)to_send;
    ((struct hop *)hop)->begun = true;
    return transfer_progress_check(((struct hop *)hop)->fetch, (int64_t)sent);
}

void
transfer_progress_attach(struct curlew_fetch *f)
{
    hop_set(f->hop, CURLOPT_XFERINFOFUNCTION, on_progress);
    hop_set(f->hop, CURLOPT_XFERINFODATA, f->hop);
    hop_set(f->hop, CURLOPT_NOPROGRESS, 0L);
}
