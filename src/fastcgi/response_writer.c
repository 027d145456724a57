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
patience(const struct fcgi_connection *conn)
{
    return conn->exchange.streaming || conn->exchange.batch != NULL ? FCGI_STREAM_TIMEOUT_S
                                                                    : FCGI_WRITE_TIMEOUT_S;
}

/* Ready for the next request, or closed: never first on an idle connection, but in a drain. */
static void
end_answer(struct fcgi_connection *conn)
{
    bool linger = conn->parser.phase == PHASE_STDIN; /* the peer is still sending */

    timer_clear(&fcgi_connection_loop(conn)->timers, &conn->timer);
    exchange_reset(&conn->exchange);
    conn->finished = conn->breaking = false;
    fcgi_connection_request_done(conn);
    if (linger) {
        /* With bytes unread a close would be a reset, which could overtake the answer. */
        shutdown(conn->watch.fd, SHUT_WR);
        conn->state = LINGERING;
        fcgi_connection_watch(conn, EPOLLIN);
        fcgi_connection_set_timeout(conn, FCGI_READ_TIMEOUT_S);
    } else if (!conn->keep || fcgi_connection_server(conn)->draining) {
        fcgi_connection_close(conn);
    } else {
        conn->state = READING;
        fcgi_connection_watch(conn, EPOLLIN);
    }
}

int
response_writer_flush(struct fcgi_connection *conn)
{
    while (conn->out_sent < conn->out.len) {
        ssize_t n = send(conn->watch.fd, conn->out.data + conn->out_sent,
                         conn->out.len - conn->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        conn->out_sent += (size_t)n;
        conn->sent_us = clock_us();
        if (conn->state == WRITING && conn->timer.place != 0)
            fcgi_connection_set_timeout(conn, patience(conn));
    }
    fcgi_connection_reset_buffer(&conn->out);
    conn->out_sent = 0;
    return 1;
}

/*
 * A failure after the head must look like a broken transfer, never like a short, whole answer.  To
 * close without an end record is not enough for every web server; a record of version 0 is.
 */
static void
break_off(struct fcgi_connection *conn)
{
    static const char no_record[8];

    libfcgi_codec_abandon(conn->codec);
    buffer_add(&conn->out, no_record, sizeof no_record);
    conn->keep = conn->breaking = false;
    conn->finished = true;
}

void
response_writer_abort(struct fcgi_connection *conn)
{
    break_off(conn);
    response_writer_flush(conn);
}

/*
 * lighttpd takes what it reads together with the record for whole: it gets a moment to read
 * before.
 */
static bool
must_wait(struct fcgi_connection *conn)
{
    struct loop *l = fcgi_connection_loop(conn);
    int64_t until = conn->sent_us + BREAK_DELAY_US;

    if (conn->out.len > conn->out_sent || clock_us() >= until)
        return conn->out.len > conn->out_sent;
    conn->breaking = true;
    timer_set(&l->timers, &conn->timer, until);
    return true;
}

/*
 * Nothing more is to be said: the end record, or the break where the answer is not whole.  True:
 * what is framed has to be sent before the break.
 */
static bool
finish(struct fcgi_connection *conn, bool whole)
{
    if (whole) {
        libfcgi_codec_finish(conn->codec);
        conn->finished = true;
        return false;
    }
    libfcgi_codec_flush(conn->codec);
    if (!must_wait(conn))
        break_off(conn);
    return !conn->finished && !conn->breaking;
}

/* The next bytes of the answer, into its next piece where one is sent; 0: none, now or at all. */
static size_t
next_bytes(struct exchange *x, const char **bytes)
{
    size_t n = exchange_next(x, bytes, SLICE_BYTES);

    if (n == 0 && x->partial && x->route->next_chunk(x))
        n = exchange_next(x, bytes, SLICE_BYTES);
    return n;
}

/* Frame some more of the answer, up to the end record; true: there may be more now. */
static bool
frame(struct fcgi_connection *conn)
{
    const char *bytes;
    size_t n = 1;

    if (conn->out_sent >
        OUT_BYTES / 2) { /* or a slow peer's answer would be held twice as a whole */
        buffer_drop(&conn->out, conn->out_sent);
        conn->out_sent = 0;
    }
    while (conn->out.len - conn->out_sent < OUT_BYTES && n > 0) {
        n = next_bytes(&conn->exchange, &bytes);
        libfcgi_codec_write(conn->codec, bytes, n);
    }
    if (n > 0)
        return true;
    if (!conn->exchange.partial)
        return finish(conn, !conn->exchange.broken);
    libfcgi_codec_flush(conn->codec);
    return false;
}

/* The next bytes of a stream's answer: its head, then what has come of its body. */
static size_t
stream_next(struct exchange *x, char *scratch, const char **bytes)
{
    size_t n = exchange_next(x, bytes, SLICE_BYTES);

    if (n > 0)
        return n;
    *bytes = scratch;
    return body_pipe_read(x->fetch, scratch, STREAM_SLICE);
}

/* As frame(), but each event of the origin goes out at once, and little is held. */
static bool
frame_stream(struct fcgi_connection *conn)
{
    char *scratch = fcgi_worker_scratch(conn->worker);
    bool last = !conn->waiting; /* before the look into the stream, or its last bytes are missed */
    const char *bytes;
    size_t n = 1;

    while (conn->out.len - conn->out_sent < STREAM_OUT_BYTES && n > 0) {
        n = stream_next(&conn->exchange, scratch, &bytes);
        libfcgi_codec_write(conn->codec, bytes, n);
    }
    if (n == 0 && last)
        return finish(conn, conn->exchange.fetch->failure.error == ERROR_NONE);
    libfcgi_codec_flush(conn->codec);
    return n > 0;
}

/* Nothing to send until the stream has more. */
static void
await_more(struct fcgi_connection *conn)
{
    if (!conn->breaking)
        timer_clear(&fcgi_connection_loop(conn)->timers, &conn->timer);
    fcgi_connection_watch(conn, EPOLLIN);
}

/* A piece of a batch's answer takes more than copying: in between it is the others' turn. */
void
response_writer_on_writable(struct fcgi_connection *conn)
{
    bool more;
    int sent;

    do {
        more = !conn->finished && (conn->exchange.streaming ? frame_stream(conn) : frame(conn));
        sent = buffer_ok(&conn->out) ? response_writer_flush(conn) : -1;
    } while (more && sent == 1 && conn->exchange.batch == NULL);
    if (sent < 0) {
        fcgi_connection_close(conn);
    } else if (sent == 0 || more) {
        fcgi_connection_watch(conn, EPOLLIN | EPOLLOUT);
        if (conn->timer.place == 0)
            fcgi_connection_set_timeout(conn, patience(conn));
    } else if (conn->finished) {
        end_answer(conn);
    } else {
        await_more(conn);
    }
}

void
response_writer_start(struct fcgi_connection *conn)
{
    conn->state = WRITING;
    response_writer_on_writable(conn);
}
