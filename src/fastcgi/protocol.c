/* protocol.c - what happens on a connection: readiness, timeouts, and who acts on them. */

#include "fastcgi/protocol.h"

#include "fastcgi/request_reader.h"
#include "fastcgi/response_writer.h"
#include "fetch/body_pipe.h"

#include <sys/socket.h>

#define READ_TIMEOUT_S   10  /* for the next bytes of a request that has begun */
#define WRITE_TIMEOUT_S  60  /* for a peer that reads none of its response */
#define STREAM_TIMEOUT_S 600 /* for one that reads none of a stream: a paused player, say */

/* -- writing ------------------------------------------------------------- */

static int
write_timeout(const struct exchange *x)
{
    return x->streaming || exchange_has_chunks(x) ? STREAM_TIMEOUT_S : WRITE_TIMEOUT_S;
}

/* With bytes unread a close would be a reset, which could overtake the response. */
static void
linger(struct fcgi_connection *conn)
{
    shutdown(conn->watch.fd, SHUT_WR);
    fcgi_connection_set_state(conn, CONN_LINGERING);
    fcgi_connection_watch(conn, EPOLLIN);
    fcgi_connection_set_timeout(conn, READ_TIMEOUT_S);
}

/* A response that came early may find the peer inside a record, which it has to finish. */
static void
await_input(struct fcgi_connection *conn)
{
    if (record_parser_is_idle(&conn->parser))
        fcgi_connection_clear_timeout(conn);
    else
        fcgi_connection_set_timeout(conn, READ_TIMEOUT_S);
}

/*
 * Ready for the next request, or closed.  An idle connection is the web server's to close, but for
 * a drain: nginx does not repeat a POST that meets a connection just closed.
 *
 * A handoff may be answered before all of STDIN has been read.  A kept connection stays open then
 * too, as the peer may send its next request at once: the record parser skips what is left of
 * STDIN, which belongs to no request any more.
 */
static void
end_response(struct fcgi_connection *conn)
{
    bool keep_alive = conn->keep_alive && !conn->worker->server->draining;
    bool peer_is_sending = conn->parser.phase == PHASE_STDIN;

    fcgi_connection_clear_timeout(conn);
    exchange_reset(&conn->exchange);
    conn->finished = false;
    conn->abort_at_us = 0;
    fcgi_connection_end_request(conn);
    if (keep_alive) {
        fcgi_connection_set_state(conn, CONN_READING);
        fcgi_connection_watch(conn, EPOLLIN);
        await_input(conn);
    } else if (peer_is_sending) {
        linger(conn);
    } else {
        fcgi_connection_close(conn);
    }
}

/* The timeout runs from the last byte that the peer has taken. */
static void
await_writable(struct fcgi_connection *conn, bool has_sent)
{
    fcgi_connection_watch(conn, EPOLLIN | EPOLLOUT);
    if (has_sent || !fcgi_connection_has_timeout(conn))
        fcgi_connection_set_timeout(conn, write_timeout(&conn->exchange));
}

static void
on_writable(struct fcgi_connection *conn)
{
    int64_t sent_us = conn->sent_us;

    switch (response_writer_write(conn)) {
    case WRITE_DONE:
        end_response(conn);
        break;
    case WRITE_BLOCKED:
        await_writable(conn, conn->sent_us != sent_us);
        break;
    case WRITE_IDLE:
        fcgi_connection_clear_timeout(conn);
        fcgi_connection_watch(conn, EPOLLIN);
        break;
    case WRITE_WILL_ABORT:
        timer_set(&conn->worker->loop.timers, &conn->timer, conn->abort_at_us);
        fcgi_connection_watch(conn, EPOLLIN);
        break;
    case WRITE_FAILED:
        fcgi_connection_close(conn);
        break;
    }
}

void
protocol_write(struct fcgi_connection *conn)
{
    fcgi_connection_set_state(conn, CONN_WRITING);
    on_writable(conn);
}

void
protocol_abort(struct fcgi_connection *conn)
{
    if (conn->state == CONN_WRITING && !conn->finished)
        response_writer_abort(conn);
    fcgi_connection_close(conn);
}

/* -- requests ------------------------------------------------------------ */

/* The route has responded, if only in part, or waits for its fetch. */
static void
after_route(struct fcgi_connection *conn)
{
    fcgi_connection_clear_timeout(conn);
    if (conn->exchange.answered)
        protocol_write(conn);
    else
        fcgi_connection_set_state(conn, CONN_WAITING);
}

static void
on_params(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;

    x->server->handler(x);
    if (x->on_body != NULL) {
        request_reader_expect_body(conn);
        return;
    }
    record_parser_drop(&conn->parser);
    after_route(conn);
}

static void
on_request_complete(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    struct failure err = { 0 };

    if (request_reader_check_body(conn, &err) == 0)
        x->on_body(x);
    else
        exchange_fail(x, &err);
    after_route(conn);
}

/* The web server takes its request back: it still expects the end record. */
static void
on_request_aborted(struct fcgi_connection *conn)
{
    if (conn->exchange.in_flight > 0 || conn->exchange.partial) {
        exchange_cancel(&conn->exchange);
    } else if (conn->state == CONN_READING && conn->in_request) {
        /* Or the next request would begin with what is left of this one. */
        buffer_reset(&conn->in, FCGI_CONNECTION_KEEP);
        exchange_discard_response(&conn->exchange);
        record_parser_end_stdin(&conn->parser);
        protocol_write(conn);
    } else if (conn->state == CONN_READING) {
        fcgi_connection_close(conn);
    }
}

static void
on_request_event(struct fcgi_connection *conn, enum request_event event)
{
    switch (event) {
    case REQUEST_MORE:
        break;
    case REQUEST_PARAMS:
        on_params(conn);
        break;
    case REQUEST_COMPLETE:
        on_request_complete(conn);
        break;
    case REQUEST_ABORTED:
        on_request_aborted(conn);
        break;
    case REQUEST_CLOSE:
        response_writer_flush(conn);
        fcgi_connection_close(conn);
        break;
    }
}

/* -- reading ------------------------------------------------------------- */

static void
read_events(struct fcgi_connection *conn, struct request_input *input)
{
    enum request_event event = REQUEST_PARAMS;

    while (event != REQUEST_MORE && conn->state != CONN_CLOSED && conn->state != CONN_LINGERING) {
        event = request_reader_next(conn, input);
        on_request_event(conn, event);
    }
}

/* Answers of the record parser may wait in `out` while no response is being written. */
static void
after_input(struct fcgi_connection *conn)
{
    if (conn->state == CONN_CLOSED || conn->state == CONN_LINGERING)
        return;
    if (conn->state != CONN_WRITING && conn->out.len > 0 && response_writer_flush(conn) < 0) {
        fcgi_connection_close(conn);
        return;
    }
    if (conn->state == CONN_READING)
        await_input(conn);
}

/*
 * HAProxy takes a response for complete by its Content-Length, and begins the next request before
 * the end record has come.  That is no attempt to multiplex: it stays in the socket until its turn.
 */
static void
on_readable(struct fcgi_connection *conn)
{
    struct request_input input;
    int rc;

    if (conn->state == CONN_WRITING && request_reader_has_next_request(conn)) {
        fcgi_connection_watch(conn, EPOLLRDHUP | (conn->events & EPOLLOUT));
        return;
    }
    rc = request_reader_recv(conn, &input);
    if (rc < 0) { /* the caller has left; where the connection was idle, that is no error */
        fcgi_connection_close(conn);
    } else if (rc > 0) {
        read_events(conn, &input);
        after_input(conn);
    }
}

/* -- events -------------------------------------------------------------- */

static void
on_event(struct watch *watch, uint32_t events)
{
    struct fcgi_connection *conn = container_of(watch, struct fcgi_connection, watch);

    if (events & EPOLLRDHUP) { /* watched for only while a next request waits in the socket */
        fcgi_connection_close(conn);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        on_readable(conn);
    if (events & EPOLLOUT && conn->state == CONN_WRITING)
        on_writable(conn);
}

static void
on_timeout(struct timer *t)
{
    struct fcgi_connection *conn = container_of(t, struct fcgi_connection, timer);

    if (conn->abort_at_us != 0)
        on_writable(conn);
    else
        protocol_abort(conn);
}

void
protocol_accept(struct fcgi_worker *w, int fd)
{
    fcgi_connection_new(w, fd, on_event, on_timeout);
}

/* -- fetches ------------------------------------------------------------- */

static struct fcgi_connection *
connection_of(struct exchange *x)
{
    return container_of(x, struct fcgi_connection, exchange);
}

static void
mark_ready(struct fcgi_connection *conn)
{
    list_remove(&conn->ready_link);
    list_append(&conn->worker->ready, &conn->ready_link);
}

void
protocol_on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    struct fcgi_connection *conn = connection_of(x);

    if (x->ops->log_fetch != NULL)
        x->ops->log_fetch(x, f);
    exchange_fetch_ended(x);
    if (conn->state != CONN_CLOSED) {
        x->ops->on_fetch_done(x, f);
        mark_ready(conn);
    } else if (x->in_flight == 0) {
        counter_add(&x->server->stats.cancelled, 1);
        fcgi_connection_end_request(conn);
    }
}

void
protocol_on_stream_readable(struct exchange *x)
{
    struct fcgi_connection *conn = connection_of(x);
    struct curlew_fetch *f = x->fetch;

    body_pipe_ack_notify(f->pipe);
    if (conn->state == CONN_CLOSED)
        return;
    if (f->worker == NULL) /* it has ended already: how, its own mail says */
        return;
    if (conn->state == CONN_WAITING && body_pipe_has_head(f->pipe))
        x->ops->on_headers(x);
    if (x->streaming)
        protocol_write(conn);
}
