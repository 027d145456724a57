/* response_writer.c - writing an answer to a web server, as fast as it reads and no faster. */

#include "fastcgi/response_writer.h"

#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "fetch/body_pipe.h"
#include "routes/router.h"
#include "util/clock.h"

#include <errno.h>
#include <sys/socket.h>

#define SLICE_BYTES 65536        /* of an answer, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */

#define STREAM_SLICE     16384 /* of a stream, framed at once */
#define BREAK_DELAY_US   (100 * US_PER_MS)
#define STREAM_OUT_BYTES 32768 /* as OUT_BYTES: a stream holds little, wherever it is */

static int
patience(const struct fcgi_connection *c)
{
    return c->call.streaming || c->call.batch != NULL ? FCGI_STREAM_TIMEOUT_S
                                                      : FCGI_WRITE_TIMEOUT_S;
}

/*
 * Ready for the next request, or closed: never first on an idle connection, but in a drain.
 *
 * A handoff may be answered before all of STDIN has been read.  A kept connection stays open then
 * too, as the peer may send its next request at once: the record parser skips what is left of
 * STDIN, for it belongs to no request any more.
 */
static void
end_answer(struct fcgi_connection *c)
{
    bool keep = c->keep && !fcgi_connection_server(c)->draining;
    bool linger = !keep && c->parser.phase == PHASE_STDIN; /* the peer is still sending */

    timer_clear(&fcgi_connection_loop(c)->timers, &c->timer);
    exchange_reset(&c->call);
    c->finished = c->breaking = false;
    fcgi_connection_request_done(c);
    if (linger) {
        /* With bytes unread a close would be a reset, which could overtake the answer. */
        shutdown(c->watch.fd, SHUT_WR);
        c->state = LINGERING;
        fcgi_connection_watch(c, EPOLLIN);
        fcgi_connection_set_timeout(c, FCGI_READ_TIMEOUT_S);
    } else if (!keep) {
        fcgi_connection_close(c);
    } else {
        c->state = READING;
        fcgi_connection_watch(c, EPOLLIN);
        if (!record_parser_is_idle(&c->parser)) /* inside a record that the peer has to finish */
            fcgi_connection_set_timeout(c, FCGI_READ_TIMEOUT_S);
    }
}

int
response_writer_flush(struct fcgi_connection *c)
{
    while (c->out_sent < c->out.len) {
        ssize_t n = send(c->watch.fd, c->out.data + c->out_sent, c->out.len - c->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        c->out_sent += (size_t)n;
        c->sent_us = clock_us();
        if (c->state == WRITING && c->timer.place != 0)
            fcgi_connection_set_timeout(c, patience(c));
    }
    fcgi_connection_reset_buffer(&c->out);
    c->out_sent = 0;
    return 1;
}

/*
 * A failure after the head must look like a broken transfer, never like a short, whole answer.  To
 * close without an end record is not enough for every web server; a record of version 0 is.
 */
static void
break_off(struct fcgi_connection *c)
{
    static const char no_record[8];

    libfcgi_codec_abandon(c->codec);
    buffer_add(&c->out, no_record, sizeof no_record);
    c->keep = c->breaking = false;
    c->finished = true;
}

void
response_writer_abort(struct fcgi_connection *c)
{
    break_off(c);
    response_writer_flush(c);
}

/*
 * lighttpd takes what it reads together with the record for whole: it gets a moment to read
 * before.
 */
static bool
must_wait(struct fcgi_connection *c)
{
    struct loop *l = fcgi_connection_loop(c);
    int64_t until = c->sent_us + BREAK_DELAY_US;

    if (c->out.len > c->out_sent || clock_us() >= until)
        return c->out.len > c->out_sent;
    c->breaking = true;
    timer_set(&l->timers, &c->timer, until);
    return true;
}

/*
 * Nothing more is to be said: the end record, or the break where the answer is not whole.  True:
 * what is framed has to be sent before the break.
 */
static bool
finish(struct fcgi_connection *c, bool whole)
{
    if (whole) {
        libfcgi_codec_finish(c->codec);
        c->finished = true;
        return false;
    }
    libfcgi_codec_flush(c->codec);
    if (!must_wait(c))
        break_off(c);
    return !c->finished && !c->breaking;
}

/* The next bytes of the answer, into its next piece where one is sent; 0: none, now or at all. */
static size_t
next_bytes(struct exchange *c, const char **bytes)
{
    size_t n = exchange_next(c, bytes, SLICE_BYTES);

    if (n == 0 && c->partial && c->route->next_chunk(c))
        n = exchange_next(c, bytes, SLICE_BYTES);
    return n;
}

/* Frame some more of the answer, up to the end record; true: there may be more now. */
static bool
frame(struct fcgi_connection *c)
{
    const char *bytes;
    size_t n = 1;

    if (c->out_sent > OUT_BYTES / 2) { /* or a slow peer's answer would be held twice as a whole */
        buffer_drop(&c->out, c->out_sent);
        c->out_sent = 0;
    }
    while (c->out.len - c->out_sent < OUT_BYTES && n > 0) {
        n = next_bytes(&c->call, &bytes);
        libfcgi_codec_write(c->codec, bytes, n);
    }
    if (n > 0)
        return true;
    if (!c->call.partial)
        return finish(c, !c->call.broken);
    libfcgi_codec_flush(c->codec);
    return false;
}

/* The next bytes of a stream's answer: its head, then what has come of its body. */
static size_t
stream_next(struct exchange *c, char *scratch, const char **bytes)
{
    size_t n = exchange_next(c, bytes, SLICE_BYTES);

    if (n > 0)
        return n;
    *bytes = scratch;
    return body_pipe_read(c->fetch->pipe, scratch, STREAM_SLICE);
}

/* As frame(), but each event of the origin goes out at once, and little is held. */
static bool
frame_stream(struct fcgi_connection *c)
{
    char *scratch = fcgi_worker_scratch(c->responder);
    bool last = !c->waiting; /* before the look into the stream, or its last bytes are missed */
    const char *bytes;
    size_t n = 1;

    while (c->out.len - c->out_sent < STREAM_OUT_BYTES && n > 0) {
        n = stream_next(&c->call, scratch, &bytes);
        libfcgi_codec_write(c->codec, bytes, n);
    }
    if (n == 0 && last)
        return finish(c, c->call.fetch->failure.error == ERROR_NONE);
    libfcgi_codec_flush(c->codec);
    return n > 0;
}

/* Nothing to send until the stream has more. */
static void
await_more(struct fcgi_connection *c)
{
    if (!c->breaking)
        timer_clear(&fcgi_connection_loop(c)->timers, &c->timer);
    fcgi_connection_watch(c, EPOLLIN);
}

/* A piece of a batch's answer takes more than copying: in between it is the others' turn. */
void
response_writer_on_writable(struct fcgi_connection *c)
{
    bool more;
    int sent;

    do {
        more = !c->finished && (c->call.streaming ? frame_stream(c) : frame(c));
        sent = buffer_ok(&c->out) ? response_writer_flush(c) : -1;
    } while (more && sent == 1 && c->call.batch == NULL);
    if (sent < 0) {
        fcgi_connection_close(c);
    } else if (sent == 0 || more) {
        fcgi_connection_watch(c, EPOLLIN | EPOLLOUT);
        if (c->timer.place == 0)
            fcgi_connection_set_timeout(c, patience(c));
    } else if (c->finished) {
        end_answer(c);
    } else {
        await_more(c);
    }
}

void
response_writer_start(struct fcgi_connection *c)
{
    c->state = WRITING;
    response_writer_on_writable(c);
}
