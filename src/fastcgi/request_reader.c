/* request_reader.c - what comes from a web server: screened, read by libfcgi, sent to its route. */

#include "fastcgi/request_reader.h"

#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "fastcgi/response_writer.h"
#include "routes/handoff_request.h"
#include "routes/router.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* To its route: answered at once, if only in part, or parked until its fetch is back. */
static void
dispatch(struct fcgi_connection *conn)
{
    struct failure err = { 0 };

    timer_clear(&fcgi_connection_loop(conn)->timers, &conn->timer);
    if (router_find(&conn->exchange, &err) == 0)
        conn->exchange.route->on_request(&conn->exchange);
    else
        exchange_fail(&conn->exchange, &err);
    if (conn->exchange.answered)
        response_writer_start(conn);
    else
        conn->state = PARKED;
}

/* The parameters are whole.  A body that is announced too large is not kept, not even its start. */
static void
open_request(struct fcgi_connection *conn)
{
    const char *length;

    conn->opened = true;
    atomic_fetch_add(&fcgi_connection_server(conn)->busy, 1);
    counter_add(&fcgi_connection_server(conn)->stats.requests, 1);
    if (libfcgi_codec_accept(conn->codec) != 0) {
        fcgi_connection_close(conn);
        return;
    }
    conn->keep = conn->parser.keep;
    conn->parser.stdin_max = (size_t)fcgi_connection_server(conn)->request_bytes;
    if (handoff_request_is_present(&conn->exchange)) {
        conn->parser.dropping = true; /* the browser's body is none of the fetch's business */
        dispatch(conn);
        return;
    }
    length = libfcgi_codec_param(conn->codec, "CONTENT_LENGTH");
    if (length != NULL && strtoll(length, NULL, 10) > fcgi_connection_server(conn)->request_bytes)
        conn->parser.dropping = true;
}

/*
 * Said only when the peer has sent all of it: h2o aborts and HAProxy hangs when the answer comes
 * before they are done.
 */
static int
check_size(struct fcgi_connection *conn, struct failure *err)
{
    if (!conn->parser.dropping)
        return 0;
    if (conn->crowded)
        return failure_set(err, ERROR_OVERLOADED,
                           "limits.buffered_bytes: the bodies of all requests together are over "
                           "%lld bytes",
                           (long long)fcgi_connection_server(conn)->bodies_bytes);
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)fcgi_connection_server(conn)->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(struct fcgi_connection *conn, struct failure *err)
{
    const char *said = libfcgi_codec_param(conn->codec, "CONTENT_LENGTH");
    unsigned long long length;
    char *end;

    if (said == NULL || *said == '\0')
        return 0;
    length = strtoull(said, &end, 10);
    if (*said >= '0' && *said <= '9' && *end == '\0' && length == conn->exchange.body.len)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "CONTENT_LENGTH is \"%.32s\", but the body has %zu bytes", said,
                       conn->exchange.body.len);
}

static void
serve(struct fcgi_connection *conn)
{
    struct failure err = { 0 };

    if (!conn->parser.dropping && libfcgi_codec_read_body(conn->codec, &conn->exchange.body) != 0) {
        fcgi_connection_close(conn);
        return;
    }
    fcgi_connection_reset_buffer(&conn->in);
    if (check_size(conn, &err) == 0 && check_length(conn, &err) == 0) {
        dispatch(conn);
        return;
    }
    exchange_fail(&conn->exchange, &err);
    response_writer_start(conn);
}

/* The web server takes its request back: it still expects the end record. */
static void
aborted(struct fcgi_connection *conn)
{
    if (conn->waiting > 0 || conn->exchange.partial) {
        exchange_cancel(&conn->exchange);
    } else if (conn->state == READING && conn->opened) {
        /* or the next request would begin with what is left of it */
        fcgi_connection_reset_buffer(&conn->in);
        conn->exchange.sent = SIZE_MAX;       /* nothing to say */
        conn->parser.phase = PHASE_ANSWERING; /* and no more of STDIN to come */
        response_writer_start(conn);
    } else if (conn->state == READING) {
        fcgi_connection_close(conn);
    }
}

static void
act_on(struct fcgi_connection *conn, enum record_event v)
{
    switch (v) {
    case RECORD_MORE:
        break;
    case RECORD_PARAMS_DONE:
        open_request(conn);
        break;
    case RECORD_REQUEST_DONE:
        if (conn->state == READING) /* a hand-off did not wait for it */
            serve(conn);
        break;
    case RECORD_TOO_LARGE:
        buffer_free(&conn->in);
        break;
    case RECORD_ABORTED:
        aborted(conn);
        break;
    case RECORD_CLOSE:
    case RECORD_BROKEN:
        response_writer_flush(conn);
        fcgi_connection_close(conn);
        break;
    }
}

/* The body, as far as it has come, is on the account of all requests' bodies, or dropped. */
static void
account_body(struct fcgi_connection *conn)
{
    struct fcgi_server *server = fcgi_connection_server(conn);
    int64_t more = (int64_t)conn->parser.stdin_bytes - conn->held;

    if (more <= 0 || conn->parser.dropping)
        return;
    conn->held += more;
    if (atomic_fetch_add(&server->stats.bodies, more) + more <= server->bodies_bytes)
        return;
    counter_add(&server->stats.bodies, -conn->held);
    conn->held = 0;
    conn->crowded = true;
    record_parser_drop(&conn->parser);
    buffer_free(&conn->in);
}

static void
take_bytes(struct fcgi_connection *conn, const char *bytes, size_t n)
{
    while (n > 0 && conn->state != GONE && conn->state != LINGERING) {
        size_t used;
        enum record_event v =
            record_parser_feed(&conn->parser, bytes, n, &used, &conn->in, &conn->out);

        if (!buffer_ok(&conn->in) || !buffer_ok(&conn->out))
            v = RECORD_BROKEN;
        account_body(conn);
        act_on(conn, v);
        bytes += used;
        n -= used;
    }
}

/* Answers of the screen may wait in `out` while no answer of ours is being written. */
static void
after_bytes(struct fcgi_connection *conn)
{
    if (conn->state == GONE || conn->state == LINGERING)
        return;
    if (conn->state != WRITING && conn->out.len > 0 && response_writer_flush(conn) < 0) {
        fcgi_connection_close(conn);
        return;
    }
    if (conn->state != READING)
        return;
    if (record_parser_is_idle(&conn->parser))
        timer_clear(&fcgi_connection_loop(conn)->timers, &conn->timer);
    else
        fcgi_connection_set_timeout(conn, FCGI_READ_TIMEOUT_S);
}

/*
 * HAProxy takes an answer for whole by its Content-Length, and begins the next request before the
 * end record has come.  That is no attempt to multiplex: it stays in the socket until its turn.
 */
static bool
is_early(struct fcgi_connection *conn)
{
    unsigned char peek[8];
    ssize_t n;

    if (conn->state != WRITING)
        return false;
    n = recv(conn->watch.fd, peek, sizeof peek, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0 || !record_parser_is_next_request(&conn->parser, peek, (size_t)n))
        return false;
    fcgi_connection_watch(conn, EPOLLRDHUP | (conn->events & EPOLLOUT));
    return true;
}

void
request_reader_on_readable(struct fcgi_connection *conn)
{
    char *scratch = fcgi_worker_scratch(conn->worker);
    ssize_t n;

    if (is_early(conn))
        return;
    n = recv(conn->watch.fd, scratch, FCGI_WORKER_READ_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) { /* the caller has left; where the connection was idle, that is no error */
        fcgi_connection_close(conn);
        return;
    }
    take_bytes(conn, scratch, (size_t)n);
    after_bytes(conn);
}
