/* connection.c - one connection of a web server: a request, its answer, and the next one. */

#include "gateway/connection.h"

#include "base/clock.h"
#include "gateway/access.h"
#include "gateway/fastcgi.h"
#include "gateway/hand_off.h"
#include "gateway/reply.h"
#include "gateway/responder.h"
#include "gateway/router.h"
#include "session/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_BYTES 16384 /* a buffer up to this size is kept for the next request */

/*
 * Four times what reply.c lets wait.  Only a peer that asks the screen for answers and reads none gets
 * there: it is cut off.
 */
#define OUT_MAX (1 << 20)

struct loop *
connection_loop(struct connection *c)
{
    return responder_loop(c->responder);
}

struct gateway *
connection_gateway(struct connection *c)
{
    return responder_gateway(c->responder);
}

void
connection_watch_for(struct connection *c, uint32_t events)
{
    if (events == c->events)
        return;
    loop_change(connection_loop(c), &c->watch, events);
    c->events = events;
}

void
connection_be_patient(struct connection *c, int seconds)
{
    timer_set(&connection_loop(c)->timers, &c->timer,
              connection_loop(c)->now_us + (int64_t)seconds * US_PER_SECOND);
}

void
connection_reset_buffer(struct buffer *b)
{
    if (b->cap > KEEP_BYTES || b->failed)
        buffer_free(b);
    else
        buffer_clear(b);
}

/* -- the end ------------------------------------------------------------- */

void
connection_request_over(struct connection *c)
{
    screen_next(&c->screen);
    if (!c->opened)
        return;
    c->opened = false;
    gateway_request_over(connection_gateway(c));
}

/* The responder frees it once its fetch is back. */
void
connection_close(struct connection *c)
{
    if (c->state == GONE)
        return;
    c->state = GONE;
    loop_remove(connection_loop(c), &c->watch);
    timer_clear(&connection_loop(c)->timers, &c->timer);
    close(c->watch.fd);
    counter_add(&connection_gateway(c)->stats.connections, -1);
    responder_bury(c->responder, c);
    if (c->waiting)
        curlew_cancel(c->call.fetch);
    else
        connection_request_over(c);
}

void
connection_free(struct connection *c)
{
    list_remove(&c->place);
    call_reset(&c->call);
    fastcgi_free(c->fastcgi);
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c);
}

static void
impatient(struct timer *t)
{
    connection_close(container_of(t, struct connection, timer));
}

/* -- the fetch is back -------------------------------------------------- */

void
connection_fetched(struct connection *c)
{
    struct gateway *g = connection_gateway(c);

    c->waiting = false;
    counter_add(&g->stats.parked, -1);
    access_log(&c->call, &c->call.fetch->failure);
    if (c->state == GONE) {
        counter_add(&g->stats.cancelled, 1);
        connection_request_over(c);
        return;
    }
    c->call.route->fetched(&c->call);
    reply_start(c);
}

void
connection_noticed(struct connection *c)
{
    struct curlew_fetch *f = c->call.fetch;

    stream_noticed(f);
    if (c->state == GONE)
        return;
    if (c->state == PARKED && stream_has_head(f))
        c->call.route->begun(&c->call);
    if (c->call.streaming)
        reply_start(c);
}

/* -- the request --------------------------------------------------------- */

/* To its route: answered at once, or parked until its fetch is back. */
static void
dispatch(struct connection *c)
{
    struct failure why = { 0 };

    timer_clear(&connection_loop(c)->timers, &c->timer);
    if (router_find(&c->call, &why) == 0)
        c->call.route->serve(&c->call);
    else
        call_fail(&c->call, &why);
    if (c->call.answered) {
        reply_start(c);
        return;
    }
    c->state = PARKED;
    c->waiting = true;
    counter_add(&connection_gateway(c)->stats.parked, 1);
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
check_size(struct connection *c, struct failure *why)
{
    if (!c->screen.dropping)
        return 0;
    return failure_set(why, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)connection_gateway(c)->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(struct connection *c, struct failure *why)
{
    const char *said = fastcgi_param(c->fastcgi, "CONTENT_LENGTH");
    unsigned long long length;
    char *end;

    if (said == NULL || *said == '\0')
        return 0;
    length = strtoull(said, &end, 10);
    if (*said >= '0' && *said <= '9' && *end == '\0' && length == c->call.body.len)
        return 0;
    return failure_set(why, ERROR_BAD_REQUEST,
                       "CONTENT_LENGTH is \"%.32s\", but the body has %zu bytes", said,
                       c->call.body.len);
}

static void
serve(struct connection *c)
{
    struct failure why = { 0 };

    if (!c->screen.dropping && fastcgi_read_body(c->fastcgi, &c->call.body) != 0) {
        connection_close(c);
        return;
    }
    connection_reset_buffer(&c->in);
    if (check_size(c, &why) == 0 && check_length(c, &why) == 0) {
        dispatch(c);
        return;
    }
    call_fail(&c->call, &why);
    reply_start(c);
}

/* The web server takes its request back: it still expects the end record. */
static void
aborted(struct connection *c)
{
    if (c->waiting) {
        curlew_cancel(c->call.fetch);
    } else if (c->state == READING && c->opened) {
        connection_reset_buffer(&c->in); /* or the next request would begin with what is left of it */
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

static void
take_bytes(struct connection *c, const char *bytes, size_t n)
{
    while (n > 0 && c->state != GONE && c->state != LINGERING) {
        size_t used;
        enum screen_verdict v = screen_feed(&c->screen, bytes, n, &used, &c->in, &c->out);

        if (!buffer_ok(&c->in) || !buffer_ok(&c->out))
            v = SCREEN_BROKEN;
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

static void
read_some(struct connection *c)
{
    char *scratch = responder_scratch(c->responder);
    ssize_t n = recv(c->watch.fd, scratch, RESPONDER_READ_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <=
        0) { /* the caller has left; an idle connection that its web server closes is no error */
        connection_close(c);
        return;
    }
    take_bytes(c, scratch, (size_t)n);
    after_bytes(c);
}

static void
on_ready(struct watch *w, uint32_t events)
{
    struct connection *c = container_of(w, struct connection, watch);

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_some(c);
    if (events & EPOLLOUT && c->state == WRITING)
        reply_pump(c);
}

/* -- the start ----------------------------------------------------------- */

int
connection_open(struct responder *r, int fd)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        goto no_connection;
    c->responder = r;
    c->state = READING;
    c->watch = (struct watch){ .fd = fd, .ready = on_ready };
    c->events = EPOLLIN;
    timer_init(&c->timer, impatient);
    list_init(&c->place);
    call_init(&c->call);
    screen_init(&c->screen);
    buffer_init(&c->in, SIZE_MAX / 2); /* the screen holds the real limits */
    buffer_init(&c->out, OUT_MAX);
    if ((c->fastcgi = fastcgi_new(&c->in, &c->out)) == NULL)
        goto no_fastcgi;
    c->call.gateway = responder_gateway(r);
    c->call.connection = c;
    c->call.fastcgi = c->fastcgi;
    if (loop_add(responder_loop(r), &c->watch, c->events) != 0)
        goto no_watch;
    responder_adopt(r, c);
    counter_add(&connection_gateway(c)->stats.connections, 1);
    return 0;

no_watch:
    fastcgi_free(c->fastcgi);
no_fastcgi:
    free(c);
no_connection:
    close(fd);
    return -1;
}
