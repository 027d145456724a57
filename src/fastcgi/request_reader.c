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
dispatch(struct fcgi_connection *c)
{
    struct failure err = { 0 };

    timer_clear(&fcgi_connection_loop(c)->timers, &c->timer);
    if (router_find(&c->call, &err) == 0)
        c->call.route->on_request(&c->call);
    else
        exchange_fail(&c->call, &err);
    if (c->call.answered)
        response_writer_start(c);
    else
        c->state = PARKED;
}

/* The parameters are whole.  A body that is announced too large is not kept, not even its start. */
static void
open_request(struct fcgi_connection *c)
{
    const char *length;

    c->opened = true;
    atomic_fetch_add(&fcgi_connection_server(c)->busy, 1);
    counter_add(&fcgi_connection_server(c)->stats.requests, 1);
    if (libfcgi_codec_accept(c->codec) != 0) {
        fcgi_connection_close(c);
        return;
    }
    c->keep = c->parser.keep;
    c->parser.stdin_max = (size_t)fcgi_connection_server(c)->request_bytes;
    if (handoff_request_is_present(&c->call)) {
        c->parser.dropping = true; /* the browser's body is none of the fetch's business */
        dispatch(c);
        return;
    }
    length = libfcgi_codec_param(c->codec, "CONTENT_LENGTH");
    if (length != NULL && strtoll(length, NULL, 10) > fcgi_connection_server(c)->request_bytes)
        c->parser.dropping = true;
}

/*
 * Said only when the peer has sent all of it: h2o aborts and HAProxy hangs when the answer comes
 * before they are done.
 */
static int
check_size(struct fcgi_connection *c, struct failure *err)
{
    if (!c->parser.dropping)
        return 0;
    if (c->crowded)
        return failure_set(err, ERROR_OVERLOADED,
                           "limits.buffered_bytes: the bodies of all requests together are over "
                           "%lld bytes",
                           (long long)fcgi_connection_server(c)->bodies_bytes);
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)fcgi_connection_server(c)->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(struct fcgi_connection *c, struct failure *err)
{
    const char *said = libfcgi_codec_param(c->codec, "CONTENT_LENGTH");
    unsigned long long length;
    char *end;

    if (said == NULL || *said == '\0')
        return 0;
    length = strtoull(said, &end, 10);
    if (*said >= '0' && *said <= '9' && *end == '\0' && length == c->call.body.len)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "CONTENT_LENGTH is \"%.32s\", but the body has %zu bytes", said,
                       c->call.body.len);
}

static void
serve(struct fcgi_connection *c)
{
    struct failure err = { 0 };

    if (!c->parser.dropping && libfcgi_codec_read_body(c->codec, &c->call.body) != 0) {
        fcgi_connection_close(c);
        return;
    }
    fcgi_connection_reset_buffer(&c->in);
    if (check_size(c, &err) == 0 && check_length(c, &err) == 0) {
        dispatch(c);
        return;
    }
    exchange_fail(&c->call, &err);
    response_writer_start(c);
}

/* The web server takes its request back: it still expects the end record. */
static void
aborted(struct fcgi_connection *c)
{
    if (c->waiting > 0 || c->call.partial) {
        exchange_cancel(&c->call);
    } else if (c->state == READING && c->opened) {
        /* or the next request would begin with what is left of it */
        fcgi_connection_reset_buffer(&c->in);
        c->call.sent = SIZE_MAX;           /* nothing to say */
        c->parser.phase = PHASE_ANSWERING; /* and no more of STDIN to come */
        response_writer_start(c);
    } else if (c->state == READING) {
        fcgi_connection_close(c);
    }
}

static void
act_on(struct fcgi_connection *c, enum record_event v)
{
    switch (v) {
    case RECORD_MORE:
        break;
    case RECORD_PARAMS_DONE:
        open_request(c);
        break;
    case RECORD_REQUEST_DONE:
        if (c->state == READING) /* a hand-off did not wait for it */
            serve(c);
        break;
    case RECORD_TOO_LARGE:
        buffer_free(&c->in);
        break;
    case RECORD_ABORTED:
        aborted(c);
        break;
    case RECORD_CLOSE:
    case RECORD_BROKEN:
        response_writer_flush(c);
        fcgi_connection_close(c);
        break;
    }
}

/* The body, as far as it has come, is on the account of all requests' bodies, or dropped. */
static void
account_body(struct fcgi_connection *c)
{
    struct fcgi_server *g = fcgi_connection_server(c);
    int64_t more = (int64_t)c->parser.stdin_bytes - c->held;

    if (more <= 0 || c->parser.dropping)
        return;
    c->held += more;
    if (atomic_fetch_add(&g->stats.bodies, more) + more <= g->bodies_bytes)
        return;
    counter_add(&g->stats.bodies, -c->held);
    c->held = 0;
    c->crowded = true;
    record_parser_drop(&c->parser);
    buffer_free(&c->in);
}

static void
take_bytes(struct fcgi_connection *c, const char *bytes, size_t n)
{
    while (n > 0 && c->state != GONE && c->state != LINGERING) {
        size_t used;
        enum record_event v = record_parser_feed(&c->parser, bytes, n, &used, &c->in, &c->out);

        if (!buffer_ok(&c->in) || !buffer_ok(&c->out))
            v = RECORD_BROKEN;
        account_body(c);
        act_on(c, v);
        bytes += used;
        n -= used;
    }
}

/* Answers of the screen may wait in `out` while no answer of ours is being written. */
static void
after_bytes(struct fcgi_connection *c)
{
    if (c->state == GONE || c->state == LINGERING)
        return;
    if (c->state != WRITING && c->out.len > 0 && response_writer_flush(c) < 0) {
        fcgi_connection_close(c);
        return;
    }
    if (c->state != READING)
        return;
    if (record_parser_is_idle(&c->parser))
        timer_clear(&fcgi_connection_loop(c)->timers, &c->timer);
    else
        fcgi_connection_set_timeout(c, FCGI_READ_TIMEOUT_S);
}

/*
 * HAProxy takes an answer for whole by its Content-Length, and begins the next request before the
 * end record has come.  That is no attempt to multiplex: it stays in the socket until its turn.
 */
static bool
is_early(struct fcgi_connection *c)
{
    unsigned char peek[8];
    ssize_t n;

    if (c->state != WRITING)
        return false;
    n = recv(c->watch.fd, peek, sizeof peek, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0 || !record_parser_is_next_request(&c->parser, peek, (size_t)n))
        return false;
    fcgi_connection_watch(c, EPOLLRDHUP | (c->events & EPOLLOUT));
    return true;
}

void
request_reader_on_readable(struct fcgi_connection *c)
{
    char *scratch = fcgi_worker_scratch(c->responder);
    ssize_t n;

    if (is_early(c))
        return;
    n = recv(c->watch.fd, scratch, FCGI_WORKER_READ_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) { /* the caller has left; where the connection was idle, that is no error */
        fcgi_connection_close(c);
        return;
    }
    take_bytes(c, scratch, (size_t)n);
    after_bytes(c);
}
