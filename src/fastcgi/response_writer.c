/* response_writer.c - a response becomes records, sent as fast as the web server reads them. */

#include "fastcgi/response_writer.h"

#include "fastcgi/libfcgi_codec.h"
#include "fetch/body_pipe.h"
#include "util/clock.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdio.h>
#include <sys/socket.h>

#define SLICE_BYTES 65536        /* of a response, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */

#define STREAM_SLICE     16384 /* of a stream, framed at once */
#define STREAM_OUT_BYTES 32768 /* as OUT_BYTES: a stream holds little, wherever it is */
#define ABORT_DELAY_US   (100 * US_PER_MS)

/* What is framed at least: with all that follows, it fits into what `out` has from the start. */
#define SMALL_SLICE   4096
#define LIBFCGI_BYTES 8192 /* that libfcgi gathers before it frames them */
#define END_BYTES     1024 /* a cause on STDERR, the end records, or what breaks the response */

#define CLIENT_PARAM "CURLEW_CLIENT"

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
    }
    buffer_shrink(&conn->out, FCGI_CONNECTION_KEEP);
    conn->out_sent = 0;
    return 1;
}

/* -- a kept connection that shall not be used again ------------------------- */

static void
add_hint(struct fcgi_connection *conn)
{
    if (conn->hints < FCGI_HINTS)
        record_parser_hint(&conn->parser, &conn->out);
    conn->hints++;
}

void
response_writer_hint(struct fcgi_connection *conn)
{
    add_hint(conn);
    response_writer_flush(conn);
}

/* -- the end of a response ----------------------------------------------- */

/* Why the response ends before its time; NULL: there is nothing to say, or nobody who reads it. */
static const struct failure *
cause_of(const struct fcgi_connection *conn)
{
    static const struct failure draining = { .error = ERROR_DRAINING,
                                             .detail = "drain_seconds are over" };
    static const struct failure internal = { .error = ERROR_INTERNAL,
                                             .detail = "the response could not be completed" };
    const struct exchange *x = &conn->exchange;

    if (x->in_flight > 0) /* the fetch is the engine's: not to be looked into */
        return conn->worker->server->draining ? &draining : NULL;
    if (x->streaming && x->fetch->failure.error != ERROR_NONE)
        return &x->fetch->failure;
    return x->broken ? &internal : NULL;
}

/*
 * To a peer that says by CURLEW_CLIENT that it understands.  A web server would log it, and some
 * take STDERR for a failure of their own kind.
 */
static void
write_cause(struct fcgi_connection *conn)
{
    const struct failure *err = cause_of(conn);
    char line[sizeof err->detail + 64];

    if (err == NULL || libfcgi_codec_param(conn->codec, CLIENT_PARAM) == NULL)
        return;
    snprintf(line, sizeof line, "curlew: %s %s", error_code(err->error), err->detail);
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    libfcgi_codec_write_stderr(conn->codec, line);
}

/*
 * A failure after the head must look like a broken transfer, never like a short, complete response.
 * To close without an end record is not enough for every web server; a record of version 0 is.
 */
static void
abort_response(struct fcgi_connection *conn)
{
    static const char no_record[FCGI_HEADER_LEN];

    write_cause(conn);
    libfcgi_codec_abandon(conn->codec);
    buffer_add(&conn->out, no_record, sizeof no_record);
    conn->keep_alive = false;
    conn->abort_at_us = 0;
    conn->finished = true;
}

void
response_writer_abort(struct fcgi_connection *conn)
{
    abort_response(conn);
    response_writer_flush(conn);
}

/*
 * In a drain the hint goes out in the same send() as the end record: so nginx has read both before
 * it chooses a connection for its next request.  A peer that still sends its body would take the
 * hint for the start of another response.
 */
static void
finish(struct fcgi_connection *conn)
{
    libfcgi_codec_finish(conn->codec);
    conn->finished = true;
    if (conn->worker->server->draining && conn->keep_alive && conn->parser.phase != PHASE_STDIN)
        add_hint(conn);
}

/*
 * If lighttpd reads the abort record in the same read() as the last data, it treats the response as
 * complete.  So the data goes out first, and the record ABORT_DELAY_US later.  True: there is data
 * to be sent before.
 */
static bool
finish_broken(struct fcgi_connection *conn)
{
    int64_t abort_at_us = conn->sent_us + ABORT_DELAY_US;

    libfcgi_codec_flush(conn->codec);
    if (conn->out.len > conn->out_sent)
        return true;
    if (clock_us() < abort_at_us)
        conn->abort_at_us = abort_at_us;
    else
        abort_response(conn);
    return false;
}

/* -- framing ------------------------------------------------------------- */

/*
 * Memory in `out` for n more bytes of the response, with what libfcgi holds of it, and its end.
 * Where it can't grow, it always has some once what is in it was sent.
 */
static int
reserve(struct fcgi_connection *conn, size_t n)
{
    return buffer_reserve(&conn->out, n + n / 64 + LIBFCGI_BYTES + END_BYTES);
}

/* How many bytes of the response may be framed now, at most n.  0: none before some are sent. */
static size_t
reserve_slice(struct fcgi_connection *conn, size_t n)
{
    size_t room;

    if (reserve(conn, SMALL_SLICE) != 0)
        return 0;
    room = conn->out.cap - conn->out.len - LIBFCGI_BYTES - END_BYTES;
    room -= room / 64 + 1;
    return n < room ? n : room;
}

/* Frame some more of the response, up to the end record; true: there may be more now. */
static bool
frame(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    const char *bytes;
    size_t n = 1, slice;

    /* Or `out` would hold a large response to a slow peer twice over. */
    if (conn->out_sent > OUT_BYTES / 2) {
        buffer_drop(&conn->out, conn->out_sent);
        conn->out_sent = 0;
    }
    while (conn->out.len - conn->out_sent < OUT_BYTES && n > 0) {
        if ((slice = reserve_slice(conn, SLICE_BYTES)) == 0)
            return true;
        n = exchange_next(x, &bytes, slice);
        libfcgi_codec_write(conn->codec, bytes, n);
    }
    if (n > 0 || reserve(conn, 0) != 0)
        return true;
    if (x->partial)
        libfcgi_codec_flush(conn->codec);
    else if (x->broken)
        return finish_broken(conn);
    else
        finish(conn);
    return false;
}

/* Frame at most n bytes of a streamed response: its head, then what has come of its body. */
static size_t
frame_slice(struct fcgi_connection *conn, size_t n)
{
    struct exchange *x = &conn->exchange;
    const char *bytes;
    size_t got = exchange_next(x, &bytes, n);

    if (got > 0) {
        libfcgi_codec_write(conn->codec, bytes, got);
    } else if ((got = body_pipe_peek(x->fetch->pipe, &bytes, n)) > 0) {
        libfcgi_codec_write(conn->codec, bytes, got);
        body_pipe_consume(x->fetch->pipe, got);
    }
    return got;
}

/* As frame(), but each event of the origin goes out at once, and little is held. */
static bool
frame_stream(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    bool ended =
        x->in_flight == 0; /* asked before the stream is read, or its last bytes are lost */
    size_t n = 1, slice;

    while (conn->out.len - conn->out_sent < STREAM_OUT_BYTES && n > 0) {
        if ((slice = reserve_slice(conn, STREAM_SLICE)) == 0)
            return true;
        n = frame_slice(conn, slice);
    }
    if (reserve(conn, 0) != 0)
        return true;
    if (n > 0 || !ended)
        libfcgi_codec_flush(conn->codec);
    else if (x->fetch->failure.error != ERROR_NONE)
        return finish_broken(conn);
    else
        finish(conn);
    return n > 0;
}

/* A piece of a batch takes more work than copying: after each it is the other connections' turn. */
enum write_result
response_writer_write(struct fcgi_connection *conn)
{
    bool one_piece = exchange_has_chunks(&conn->exchange), more;
    int sent;

    do {
        more = !conn->finished && (conn->exchange.streaming ? frame_stream(conn) : frame(conn));
        sent = buffer_ok(&conn->out) ? response_writer_flush(conn) : -1;
    } while (more && sent == 1 && !one_piece);
    if (sent < 0)
        return WRITE_FAILED;
    if (sent == 0 || more || conn->exchange.wants_turn)
        return WRITE_BLOCKED;
    if (conn->finished)
        return WRITE_DONE;
    return conn->abort_at_us != 0 ? WRITE_WILL_ABORT : WRITE_IDLE;
}
