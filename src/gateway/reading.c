/* reading.c - what comes from a web server: screened, read by libfcgi, sent to its route. */

#include "gateway/reading.h"

#include "gateway/fastcgi.h"
#include "gateway/hand_off.h"
#include "gateway/reply.h"
#include "gateway/responder.h"
#include "gateway/router.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* To its route: answered at once, if only in part, or parked until its fetch is back. */
static void
dispatch(struct connection *c)
{
    struct failure err = { 0 };

    timer_clear(&connection_loop(c)->timers, &c->timer);
    if (router_find(&c->call, &err) == 0)
        c->call.route->serve(&c->call);
    else
        call_fail(&c->call, &err);
    if (c->call.answered)
        reply_start(c);
    else
        c->state = PARKED;
}

/* The parameters are whole.  A body that is announced too large is not kept, not even its start. */
static void
open_request(struct connection *c)
{
    const char *length;

    c->opened = true;
    atomic_fetch_add(&connection_gateway(c)->busy, 1);
    counter_add(&connection_gateway(c)->stats.requests, 1);
    if (fastcgi_accept(c->fastcgi) != 0) {
        connection_close(c);
        return;
    }
    c->keep = c->screen.keep;
    c->screen.stdin_max = (size_t)connection_gateway(c)->request_bytes;
    if (hand_off_asked(&c->call)) {
        c->screen.dropping = true; /* the browser's body is none of the fetch's business */
        dispatch(c);
        return;
    }
    length = fastcgi_param(c->fastcgi, "CONTENT_LENGTH");
    if (length != NULL && strtoll(length, NULL, 10) > connection_gateway(c)->request_bytes)
        c->screen.dropping = true;
}

/*
 * Said only when the peer has sent all of it: h2o aborts and HAProxy hangs when the answer comes
 * before they are done.
 */
static int
check_size(struct connection *c, struct failure *err)
{
    if (!c->screen.dropping)
        return 0;
    if (c->crowded)
        return failure_set(err, ERROR_OVERLOADED,
                           "limits.buffered_bytes: the bodies of all requests together are over "
                           "%lld bytes",
                           (long long)connection_gateway(c)->bodies_bytes);
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)connection_gateway(c)->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(struct connection *c, struct failure *err)
{
    const char *said = fastcgi_param(c->fastcgi, "CONTENT_LENGTH");
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
serve(struct connection *c)
{
    struct failure err = { 0 };

    if (!c->screen.dropping && fastcgi_read_body(c->fastcgi, &c->call.body) != 0) {
        connection_close(c);
        return;
    }
    connection_reset_buffer(&c->in);
    if (check_size(c, &err) == 0 && check_length(c, &err) == 0) {
        dispatch(c);
        return;
    }
    call_fail(&c->call, &err);
    reply_start(c);
}

/* The web server takes its request back: it still expects the end record. */
static void
aborted(struct connection *c)
{
    if (c->waiting > 0 || c->call.partial) {
        call_cancel(&c->call);
    } else if (c->state == READING && c->opened) {
        /* or the next request would begin with what is left of it */
        connection_reset_buffer(&c->in);
        c->call.sent = SIZE_MAX;           /* nothing to say */
        c->screen.phase = PHASE_ANSWERING; /* and no more of STDIN to come */
        reply_start(c);
    } else if (c->state == READING) {
        connection_close(c);
    }
}

static void
act_on(struct connection *c, enum screen_verdict v)
{
    switch (v) {
    case SCREEN_MORE:
        break;
    case SCREEN_HEAD:
        open_request(c);
        break;
    case SCREEN_COMPLETE:
        if (c->state == READING) /* a hand-off did not wait for it */
            serve(c);
        break;
    case SCREEN_TOO_LARGE:
        buffer_free(&c->in);
        break;
    case SCREEN_ABORTED:
        aborted(c);
        break;
    case SCREEN_CLOSE:
    case SCREEN_BROKEN:
        reply_send(c);
        connection_close(c);
        break;
    }
}

/* The body, as far as it has come, is on the account of all requests' bodies, or dropped. */
static void
account_body(struct connection *c)
{
    struct gateway *g = connection_gateway(c);
    int64_t more = (int64_t)c->screen.stdin_bytes - c->held;

    if (more <= 0 || c->screen.dropping)
        return;
    c->held += more;
    if (atomic_fetch_add(&g->stats.bodies, more) + more <= g->bodies_bytes)
        return;
    counter_add(&g->stats.bodies, -c->held);
    c->held = 0;
    c->crowded = true;
    screen_drop(&c->screen);
    buffer_free(&c->in);
}

static void
take_bytes(struct connection *c, const char *bytes, size_t n)
{
    while (n > 0 && c->state != GONE && c->state != LINGERING) {
        size_t used;
        enum screen_verdict v = screen_feed(&c->screen, bytes, n, &used, &c->in, &c->out);

        if (!buffer_ok(&c->in) || !buffer_ok(&c->out))
            v = SCREEN_BROKEN;
        account_body(c);
        act_on(c, v);
        bytes += used;
        n -= used;
    }
}

/* Answers of the screen may wait in `out` while no answer of ours is being written. */
static void
after_bytes(struct connection *c)
{
    if (c->state == GONE || c->state == LINGERING)
        return;
    if (c->state != WRITING && c->out.len > 0 && reply_send(c) < 0) {
        connection_close(c);
        return;
    }
    if (c->state != READING)
        return;
    if (screen_idle(&c->screen))
        timer_clear(&connection_loop(c)->timers, &c->timer);
    else
        connection_be_patient(c, CONNECTION_PATIENCE_S);
}

/*
 * HAProxy takes an answer for whole by its Content-Length, and begins the next request before the
 * end record has come.  That is no attempt to multiplex: it stays in the socket until its turn.
 */
static bool
is_early(struct connection *c)
{
    unsigned char peek[8];
    ssize_t n;

    if (c->state != WRITING)
        return false;
    n = recv(c->watch.fd, peek, sizeof peek, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0 || !screen_sees_next(&c->screen, peek, (size_t)n))
        return false;
    connection_watch_for(c, EPOLLRDHUP | (c->events & EPOLLOUT));
    return true;
}

void
reading_some(struct connection *c)
{
    char *scratch = responder_scratch(c->responder);
    ssize_t n;

    if (is_early(c))
        return;
    n = recv(c->watch.fd, scratch, RESPONDER_READ_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) { /* the caller has left; where the connection was idle, that is no error */
        connection_close(c);
        return;
    }
    take_bytes(c, scratch, (size_t)n);
    after_bytes(c);
}
