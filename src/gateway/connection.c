/* connection.c - one connection of a web server: a request, its answer, and the next one. */

#include "gateway/connection.h"

#include "base/clock.h"
#include "gateway/access.h"
#include "gateway/fastcgi.h"
#include "gateway/responder.h"
#include "gateway/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLICE_BYTES 65536        /* of an answer, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */
#define KEEP_BYTES  16384        /* a buffer up to this size is kept for the next request */

static void pump(struct connection *c);

static struct loop *
loop_of(struct connection *c)
{
    return responder_loop(c->responder);
}

static struct gateway *
gateway_of(struct connection *c)
{
    return responder_gateway(c->responder);
}

static void
watch_for(struct connection *c, uint32_t events)
{
    if (events == c->events)
        return;
    loop_change(loop_of(c), &c->watch, events);
    c->events = events;
}

static void
be_patient(struct connection *c, int seconds)
{
    timer_set(&loop_of(c)->timers, &c->timer,
              loop_of(c)->now_us + (int64_t)seconds * US_PER_SECOND);
}

static void
reset_buffer(struct buffer *b)
{
    if (b->cap > KEEP_BYTES || b->failed)
        buffer_free(b);
    else
        buffer_clear(b);
}

/* -- the end ------------------------------------------------------------- */

static void
request_over(struct connection *c)
{
    screen_next(&c->screen);
    if (!c->opened)
        return;
    c->opened = false;
    gateway_request_over(gateway_of(c));
}

/* The responder frees it once its fetch is back. */
void
connection_close(struct connection *c)
{
    if (c->state == GONE)
        return;
    c->state = GONE;
    loop_remove(loop_of(c), &c->watch);
    timer_clear(&loop_of(c)->timers, &c->timer);
    close(c->watch.fd);
    counter_add(&gateway_of(c)->stats.connections, -1);
    responder_bury(c->responder, c);
    if (c->waiting)
        curlew_cancel(c->call.fetch);
    else
        request_over(c);
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

/* -- the answer ---------------------------------------------------------- */

/* Ready for the next request, or closed: never first on an idle connection, but in a drain. */
static void
end_answer(struct connection *c)
{
    bool linger = c->linger;

    timer_clear(&loop_of(c)->timers, &c->timer);
    call_reset(&c->call);
    c->finished = c->linger = false;
    request_over(c);
    if (linger) {
        /* With bytes unread a close would be a reset, which could overtake the answer. */
        shutdown(c->watch.fd, SHUT_WR);
        c->state = LINGERING;
        watch_for(c, EPOLLIN);
        be_patient(c, CONNECTION_PATIENCE_S);
    } else if (!c->keep || gateway_of(c)->draining) {
        connection_close(c);
    } else {
        c->state = READING;
        watch_for(c, EPOLLIN);
    }
}

/* Send what is framed.  1: all of it; 0: the peer takes no more for now; -1: it is gone. */
static int
send_out(struct connection *c)
{
    while (c->out_sent < c->out.len) {
        ssize_t n = send(c->watch.fd, c->out.data + c->out_sent, c->out.len - c->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        c->out_sent += (size_t)n;
        if (c->state == WRITING && c->timer.place != 0)
            be_patient(c, CONNECTION_WRITE_S);
    }
    reset_buffer(&c->out);
    c->out_sent = 0;
    return 1;
}

/* Frame some more of the answer; the end record follows the last of it. */
static void
frame(struct connection *c)
{
    const char *bytes;
    size_t n = 1;

    while (c->out.len - c->out_sent < OUT_BYTES && n > 0) {
        n = call_next(&c->call, &bytes, SLICE_BYTES);
        fastcgi_write(c->fastcgi, bytes, n);
    }
    if (n == 0 && !c->finished) {
        fastcgi_finish(c->fastcgi);
        c->finished = true;
    }
}

static void
pump(struct connection *c)
{
    int sent = 1;

    while (sent == 1 && !c->finished) {
        frame(c);
        sent = buffer_ok(&c->out) ? send_out(c) : -1;
    }
    if (sent == 1)
        sent = send_out(c);
    if (sent < 0) {
        connection_close(c);
    } else if (sent == 1) {
        end_answer(c);
    } else {
        watch_for(c, EPOLLIN | EPOLLOUT);
        if (c->timer.place == 0)
            be_patient(c, CONNECTION_WRITE_S);
    }
}

static void
answer(struct connection *c)
{
    c->state = WRITING;
    pump(c);
}

void
connection_fetched(struct connection *c)
{
    struct gateway *g = gateway_of(c);

    c->waiting = false;
    counter_add(&g->stats.parked, -1);
    access_log(&c->call, &c->call.fetch->failure);
    if (c->state == GONE) {
        counter_add(&g->stats.cancelled, 1);
        request_over(c);
        return;
    }
    c->call.route->fetched(&c->call);
    answer(c);
}

/* -- the request --------------------------------------------------------- */

static void
refuse_early(struct connection *c)
{
    struct failure why = { 0 };

    failure_set(&why, ERROR_REQUEST_TOO_LARGE,
                "limits.request_bytes: the request's body is over %lld bytes",
                (long long)gateway_of(c)->request_bytes);
    c->screen.dropping = c->linger = true;
    c->keep = false;
    call_fail(&c->call, &why);
    answer(c);
}

/* The parameters are whole: a body that is announced too large is refused before it is read. */
static void
open_request(struct connection *c)
{
    const char *length;

    c->opened = true;
    atomic_fetch_add(&gateway_of(c)->busy, 1);
    counter_add(&gateway_of(c)->stats.requests, 1);
    if (fastcgi_accept(c->fastcgi) != 0) {
        connection_close(c);
        return;
    }
    c->keep = c->screen.keep;
    c->screen.stdin_max = (size_t)gateway_of(c)->request_bytes;
    length = fastcgi_param(c->fastcgi, "CONTENT_LENGTH");
    if (length != NULL && strtoll(length, NULL, 10) > gateway_of(c)->request_bytes)
        refuse_early(c);
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

    if (fastcgi_read_body(c->fastcgi, &c->call.body) != 0) {
        connection_close(c);
        return;
    }
    reset_buffer(&c->in);
    timer_clear(&loop_of(c)->timers, &c->timer);
    if (check_length(c, &why) == 0 && router_find(&c->call, &why) == 0)
        c->call.route->serve(&c->call);
    else
        call_fail(&c->call, &why);
    if (c->call.answered) {
        answer(c);
        return;
    }
    c->state = PARKED;
    c->waiting = true;
    counter_add(&gateway_of(c)->stats.parked, 1);
}

/* The web server takes its request back: it still expects the end record. */
static void
aborted(struct connection *c)
{
    if (c->waiting) {
        curlew_cancel(c->call.fetch);
    } else if (c->state == READING && c->opened) {
        c->call.sent = SIZE_MAX; /* nothing to say */
        answer(c);
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
        serve(c);
        break;
    case SCREEN_TOO_LARGE:
        refuse_early(c);
        break;
    case SCREEN_ABORTED:
        aborted(c);
        break;
    case SCREEN_CLOSE:
    case SCREEN_BROKEN:
        send_out(c);
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
    if (c->state != WRITING && c->out.len > 0 && send_out(c) < 0) {
        connection_close(c);
        return;
    }
    if (c->state != READING)
        return;
    if (screen_idle(&c->screen))
        timer_clear(&loop_of(c)->timers, &c->timer);
    else
        be_patient(c, CONNECTION_PATIENCE_S);
}

static void
read_some(struct connection *c)
{
    char *scratch = responder_scratch(c->responder);
    ssize_t n = recv(c->watch.fd, scratch, RESPONDER_READ_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) { /* the caller has left; an idle connection that its web server closes is no error */
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
        pump(c);
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
    buffer_init(&c->out, SIZE_MAX / 2);
    if ((c->fastcgi = fastcgi_new(&c->in, &c->out)) == NULL)
        goto no_fastcgi;
    c->call.gateway = responder_gateway(r);
    c->call.connection = c;
    c->call.fastcgi = c->fastcgi;
    if (loop_add(responder_loop(r), &c->watch, c->events) != 0)
        goto no_watch;
    responder_adopt(r, c);
    counter_add(&gateway_of(c)->stats.connections, 1);
    return 0;

no_watch:
    fastcgi_free(c->fastcgi);
no_fastcgi:
    free(c);
no_connection:
    close(fd);
    return -1;
}
