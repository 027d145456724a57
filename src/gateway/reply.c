/* reply.c - writing an answer to a web server, as fast as it reads and no faster. */

#include "gateway/reply.h"

#include "gateway/fastcgi.h"
#include "gateway/responder.h"
#include "session/stream.h"

#include <errno.h>
#include <sys/socket.h>

#define SLICE_BYTES 65536        /* of an answer, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */

#define STREAM_SLICE     16384 /* of a stream, framed at once */
#define STREAM_OUT_BYTES 32768 /* as OUT_BYTES: a stream holds little, wherever it is */

static int
patience(const struct connection *c)
{
    return c->call.streaming ? CONNECTION_STREAM_S : CONNECTION_WRITE_S;
}

/* Ready for the next request, or closed: never first on an idle connection, but in a drain. */
static void
end_answer(struct connection *c)
{
    bool linger = c->screen.phase == PHASE_STDIN; /* the peer is still sending */

    timer_clear(&connection_loop(c)->timers, &c->timer);
    call_reset(&c->call);
    c->finished = false;
    connection_request_over(c);
    if (linger) {
        /* With bytes unread a close would be a reset, which could overtake the answer. */
        shutdown(c->watch.fd, SHUT_WR);
        c->state = LINGERING;
        connection_watch_for(c, EPOLLIN);
        connection_be_patient(c, CONNECTION_PATIENCE_S);
    } else if (!c->keep || connection_gateway(c)->draining) {
        connection_close(c);
    } else {
        c->state = READING;
        connection_watch_for(c, EPOLLIN);
    }
}

int
reply_send(struct connection *c)
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
            connection_be_patient(c, patience(c));
    }
    connection_reset_buffer(&c->out);
    c->out_sent = 0;
    return 1;
}

/* Frame some more of the answer; the end record follows the last of it. */
static void
frame(struct connection *c)
{
    const char *bytes;
    size_t n = 1;

    if (c->out_sent > OUT_BYTES / 2) { /* or a slow peer's answer would be held twice as a whole */
        buffer_drop(&c->out, c->out_sent);
        c->out_sent = 0;
    }
    while (c->out.len - c->out_sent < OUT_BYTES && n > 0) {
        n = call_next(&c->call, &bytes, SLICE_BYTES);
        fastcgi_write(c->fastcgi, bytes, n);
    }
    if (n == 0 && !c->finished) {
        fastcgi_finish(c->fastcgi);
        c->finished = true;
    }
}

/* The next bytes of a stream's answer: its head, then what has come of its body. */
static size_t
stream_next(struct call *c, char *scratch, const char **bytes)
{
    size_t n = call_next(c, bytes, SLICE_BYTES);

    if (n > 0)
        return n;
    *bytes = scratch;
    return stream_take(c->fetch, scratch, STREAM_SLICE);
}

/*
 * A failure after the head must look like a broken transfer, never like a short, whole answer.  To
 * close without an end record is not enough for every web server; a record of version 0 is.
 */
static void
break_off(struct connection *c)
{
    static const char no_record[8];

    fastcgi_abandon(c->fastcgi);
    buffer_add(&c->out, no_record, sizeof no_record);
    c->keep = false;
}

/* As frame(), but each event of the origin goes out at once, and little is held. */
static void
frame_stream(struct connection *c)
{
    char *scratch = responder_scratch(c->responder);
    bool last = !c->waiting; /* before the look into the stream, or its last bytes are missed */
    const char *bytes;
    size_t n = 1;

    while (c->out.len - c->out_sent < STREAM_OUT_BYTES && n > 0) {
        n = stream_next(&c->call, scratch, &bytes);
        fastcgi_write(c->fastcgi, bytes, n);
    }
    if (n > 0 || !last) {
        fastcgi_flush(c->fastcgi);
        return;
    }
    if (c->call.fetch->failure.error != ERROR_NONE)
        break_off(c);
    else
        fastcgi_finish(c->fastcgi);
    c->finished = true;
}

/* Nothing to send until the stream has more. */
static void
await_more(struct connection *c)
{
    timer_clear(&connection_loop(c)->timers, &c->timer);
    connection_watch_for(c, EPOLLIN);
}

void
reply_pump(struct connection *c)
{
    bool more = true;
    int sent = 1;

    while (sent == 1 && !c->finished && more) {
        if (c->call.streaming)
            frame_stream(c);
        else
            frame(c);
        more = c->out.len > c->out_sent;
        sent = buffer_ok(&c->out) ? reply_send(c) : -1;
    }
    if (sent == 1) /* what was framed before this turn, with the end record */
        sent = reply_send(c);
    if (sent < 0) {
        connection_close(c);
    } else if (sent == 0) {
        connection_watch_for(c, EPOLLIN | EPOLLOUT);
        if (c->timer.place == 0)
            connection_be_patient(c, patience(c));
    } else if (c->finished) {
        end_answer(c);
    } else {
        await_more(c);
    }
}

void
reply_start(struct connection *c)
{
    c->state = WRITING;
    reply_pump(c);
}
