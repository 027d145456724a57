/* protocol.c - what happens on a connection: readiness, timeouts, and who acts on them. */

#include "fastcgi/protocol.h"

#include "fastcgi/request_reader.h"
#include "fastcgi/response_writer.h"
#include "fastcgi/upload_input.h"
#include "fetch/body_pipe.h"
#include "util/descriptors.h"

#include <sys/socket.h>
#include <unistd.h>

#define FIRST_TIMEOUT_S  30  /* for the first request of a connection to begin */
#define HEAD_TIMEOUT_S   10  /* for all parameters of a request, from its first byte on */
#define READ_TIMEOUT_S   10  /* for the next bytes of a body */
#define WRITE_TIMEOUT_S  60  /* for a peer that reads none of its response */
#define STREAM_TIMEOUT_S 600 /* for one that reads none of a stream: a paused player, say */
#define LEAVE_TIMEOUT_S  1   /* in a drain, for a peer to close a connection that it was asked to */
#define UPLOAD_HOLD_S    2   /* for the end of an upload that has its answer already */

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

/* A drain waits for the rest of a request that was answered early: but not for long. */
static bool
owes_input(const struct fcgi_connection *conn)
{
    return conn->worker->server->draining && record_parser_is_skipping(&conn->parser);
}

/* Byte by byte a head must not take for ever. */
static void
await_head(struct fcgi_connection *conn)
{
    if (conn->head_until_us != 0)
        return;
    fcgi_connection_set_timeout(conn, HEAD_TIMEOUT_S);
    conn->head_until_us = conn->timer.at_us;
}

/*
 * Between requests a kept connection may be idle for as long as the web server likes.  A response
 * that came early may find the peer inside a record, which it has to finish.
 */
static void
await_input(struct fcgi_connection *conn)
{
    if (conn->in_request || owes_input(conn)) {
        conn->head_until_us = 0;
        fcgi_connection_set_timeout(conn, READ_TIMEOUT_S);
    } else if (!record_parser_is_idle(&conn->parser)) {
        await_head(conn);
    } else if (conn->has_served) {
        conn->head_until_us = 0;
        fcgi_connection_clear_timeout(conn);
    }
}

/*
 * In a drain a kept connection is the peer's to close, too: to close it here, even at once after
 * the end record, loses a request that nginx has just begun to send, and it doesn't repeat a POST.
 * A hint asks it to (record_parser_hint()), and what comes nevertheless is served.  Only a peer
 * that has used the connection after a response with a hint, as HAProxy does, has it closed after
 * the next one.  That has no hint: HAProxy would see the close later, and lose more requests.
 */
static bool
try_leave(struct fcgi_connection *conn, bool peer_is_sending)
{
    if (!conn->worker->server->draining || !conn->keep_alive || peer_is_sending ||
        conn->hints <= FCGI_HINTS || fcgi_connection_has_unread(conn))
        return false;
    shutdown(conn->watch.fd, SHUT_RDWR);
    return true;
}

/* Whose response was framed before the drain has had none with it. */
static void
hint_if_idle(struct fcgi_connection *conn)
{
    bool between = !conn->in_request && record_parser_is_idle(&conn->parser) &&
                   !record_parser_is_skipping(&conn->parser);

    if (!conn->worker->server->draining || !conn->has_served || !between)
        return;
    if (conn->hints == 0)
        response_writer_hint(conn);
    fcgi_connection_set_timeout(conn, LEAVE_TIMEOUT_S);
}

/*
 * Ready for the next request, or closed.  An idle connection is the web server's to close: nginx
 * does not repeat a POST that meets a connection just closed.
 *
 * A handoff may be answered before all of STDIN has been read.  A kept connection stays open then
 * too, as the peer may send its next request at once: the record parser skips what is left of
 * STDIN, which belongs to no request any more.
 */
static void
end_response(struct fcgi_connection *conn)
{
    bool peer_is_sending = conn->parser.phase == PHASE_STDIN;
    bool keep_alive = conn->keep_alive && !try_leave(conn, peer_is_sending);

    fcgi_connection_clear_timeout(conn);
    exchange_reset(&conn->exchange);
    conn->finished = false;
    conn->abort_at_us = 0;
    fcgi_connection_end_request(conn);
    if (keep_alive) {
        conn->has_served = true;
        fcgi_connection_set_state(conn, CONN_READING);
        fcgi_connection_watch(conn, EPOLLIN);
        fcgi_connection_set_idle(conn);
        await_input(conn);
        hint_if_idle(conn);
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

/*
 * h2o aborts a request that is answered before it has sent all of it, and HAProxy sends no more,
 * for which some clients wait.  Ours, on the socket, can read while they write.
 */
static bool
try_hold(struct fcgi_connection *conn)
{
    if (!upload_input_is_coming(conn) || exchange_param(&conn->exchange, "CURLEW_CLIENT") != NULL)
        return false;
    if (conn->held_until_us == 0) {
        fcgi_connection_set_timeout(conn, UPLOAD_HOLD_S);
        conn->held_until_us = conn->timer.at_us;
    }
    return conn->worker->loop.now_us < conn->held_until_us;
}

void
protocol_write(struct fcgi_connection *conn)
{
    if (conn->exchange.in_flight == 0)
        upload_input_drop(conn);
    fcgi_connection_set_state(conn, CONN_WRITING);
    if (!try_hold(conn))
        on_writable(conn);
}

/* What it waits for has come, or has not come in time. */
static void
stop_holding(struct fcgi_connection *conn)
{
    fcgi_connection_clear_timeout(conn);
    on_writable(conn);
}

void
protocol_abort(struct fcgi_connection *conn)
{
    if (conn->state == CONN_WRITING && !conn->finished)
        response_writer_abort(conn);
    fcgi_connection_close(conn);
}

void
protocol_drain(struct fcgi_connection *conn)
{
    if (conn->state == CONN_READING && owes_input(conn))
        await_input(conn);
    else if (conn->state == CONN_READING)
        hint_if_idle(conn);
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

/* It was accepted beyond the limit of open files: by now there may be room for it. */
static void
check_room(struct fcgi_connection *conn)
{
    const struct fcgi_server *server = conn->worker->server;

    if (!conn->is_surplus)
        return;
    conn->is_surplus = counter_read(&server->stats.connections) > server->connections_max ||
                       descriptors_are_short();
    conn->exchange.is_surplus = conn->is_surplus;
    if (conn->is_surplus)
        conn->keep_alive = false;
}

static void
on_params(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;

    check_room(conn);
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

/* There was no memory to give it to libfcgi: the answer needs none. */
static void
on_request_refused(struct fcgi_connection *conn)
{
    size_t n;
    const char *text = exchange_no_memory_response(&n);

    record_parser_answer(&conn->parser, text, n, &conn->out);
    conn->finished = true;
    protocol_write(conn);
}

/* The web server takes its request back: it still expects the end record. */
static void
on_request_aborted(struct fcgi_connection *conn)
{
    upload_input_abort(conn);
    if (conn->exchange.in_flight > 0 || conn->exchange.partial || conn->exchange.work.pending) {
        exchange_cancel(&conn->exchange);
    } else if (conn->state == CONN_READING && conn->in_request && !conn->refused) {
        /* Or the next request would begin with what is left of this one. */
        buffer_reset(&conn->in, FCGI_CONNECTION_KEEP);
        exchange_discard_response(&conn->exchange);
        record_parser_end_stdin(&conn->parser);
        protocol_write(conn);
    } else if (conn->state == CONN_READING || conn->exchange.on_upload != NULL) {
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
    case REQUEST_REFUSED:
        on_request_refused(conn);
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

static void
pass_on_upload(struct fcgi_connection *conn)
{
    struct failure err = { 0 };

    if (upload_input_try_finish(conn))
        upload_input_end(conn, request_reader_check_body(conn, &err) == 0 ? NULL : &err);
}

/* A fetch that has waited for it may be refused. */
static void
pump_upload(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    void (*then)(struct exchange * x) = x->on_upload;

    pass_on_upload(conn);
    if (conn->state == CONN_WRITING && conn->held_until_us > conn->worker->loop.now_us &&
        !upload_input_is_coming(conn)) {
        conn->held_until_us = 0;
        stop_holding(conn);
    }
    if (then != NULL && upload_input_has_begun(conn)) {
        x->on_upload = NULL;
        then(x);
    }
    if (conn->state != CONN_WAITING)
        return;
    if (x->answered)
        protocol_write(conn);
    else if (x->on_upload != NULL)
        fcgi_connection_set_timeout(conn, READ_TIMEOUT_S);
    else
        fcgi_connection_clear_timeout(conn);
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
    if (conn->state != CONN_READING)
        return;
    await_input(conn);
    if (record_parser_is_idle(&conn->parser) && !conn->in_request)
        fcgi_connection_set_idle(conn);
}

/*
 * HAProxy takes a response for complete by its Content-Length, and begins the next request before
 * the end record has come.  That is no attempt to multiplex: it stays in the socket until its turn.
 * So does what an upload has no room for.
 */
static void
on_readable(struct fcgi_connection *conn)
{
    struct request_input input;
    int rc;

    if (upload_input_is_blocked(conn) ||
        (conn->state == CONN_WRITING && request_reader_has_next_request(conn))) {
        fcgi_connection_watch(conn, EPOLLRDHUP | (conn->events & EPOLLOUT));
        return;
    }
    rc = request_reader_recv(conn, &input);
    if (rc < 0) { /* the caller has left; where the connection was idle, that is no error */
        fcgi_connection_close(conn);
    } else if (rc > 0) {
        fcgi_connection_leave_idle(conn);
        conn->worker->last_input_us = conn->worker->loop.now_us;
        read_events(conn, &input);
        pump_upload(conn);
        after_input(conn);
    }
}

/* -- events -------------------------------------------------------------- */

static void
on_event(struct watch *watch, uint32_t events)
{
    struct fcgi_connection *conn = container_of(watch, struct fcgi_connection, watch);

    if (events & EPOLLRDHUP) { /* watched for only while what the socket has is not read */
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
    else if (conn->held_until_us == t->at_us)
        stop_holding(conn);
    else if (conn->hints == 0 || conn->in_request || !fcgi_connection_has_unread(conn))
        protocol_abort(conn);
}

int
protocol_prepare(struct fcgi_worker *w)
{
    if (w->spare == NULL)
        w->spare = fcgi_connection_new(w, on_event, on_timeout);
    return w->spare != NULL ? 0 : -1;
}

void
protocol_accept(struct fcgi_worker *w, int fd, bool is_surplus)
{
    struct fcgi_connection *conn = w->spare;

    if (fcgi_connection_open(conn, fd) != 0) {
        close(fd);
        return;
    }
    w->spare = NULL;
    conn->is_surplus = is_surplus;
    fcgi_connection_set_timeout(conn, FIRST_TIMEOUT_S);
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
protocol_on_work_ended(struct exchange *x)
{
    struct fcgi_connection *conn = connection_of(x);

    exchange_work_ended(x);
    if (conn->state == CONN_CLOSED) {
        fcgi_connection_end_request(conn);
        return;
    }
    exchange_finish_work(x);
    if (x->answered)
        protocol_write(conn);
    else
        pump_upload(conn);
}

void
protocol_on_upload_room(struct exchange *x)
{
    struct fcgi_connection *conn = connection_of(x);

    upload_pipe_ack_room(x->fetch->upload);
    pump_upload(conn);
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
        if (!x->work.pending)
            mark_ready(conn);
    } else if (x->in_flight == 0) {
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
