/* response_writer.c - a response becomes records, sent as fast as the web server reads them. */

#include "fastcgi/response_writer.h"

#include "fastcgi/libfcgi_codec.h"
#include "fetch/body_pipe.h"
#include "util/clock.h"

#include <errno.h>
#include <fastcgi.h>
#include <sys/socket.h>

#define SLICE_BYTES 65536        /* of a response, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */

#define STREAM_SLICE     16384 /* of a stream, framed at once */
#define STREAM_OUT_BYTES 32768 /* as OUT_BYTES: a stream holds little, wherever it is */
#define ABORT_DELAY_US   (100 * US_PER_MS)

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
    buffer_reset(&conn->out, FCGI_CONNECTION_KEEP);
    conn->out_sent = 0;
    return 1;
}

/* -- the end of a response ----------------------------------------------- */

/*
 * A failure after the head must look like a broken transfer, never like a short, complete response.
 * To close without an end record is not enough for every web server; a record of version 0 is.
 */
static void
abort_response(struct fcgi_connection *conn)
{
    static const char no_record[FCGI_HEADER_LEN];

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

static void
finish(struct fcgi_connection *conn)
{
    libfcgi_codec_finish(conn->codec);
    conn->finished = true;
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

/* Frame some more of the response, up to the end record; true: there may be more now. */
static bool
frame(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    const char *bytes;
    size_t n = 1;

    /* Or `out` would hold a large response to a slow peer twice over. */
    if (conn->out_sent > OUT_BYTES / 2) {
        buffer_drop(&conn->out, conn->out_sent);
        conn->out_sent = 0;
    }
    while (conn->out.len - conn->out_sent < OUT_BYTES && n > 0) {
        n = exchange_next(x, &bytes, SLICE_BYTES);
        libfcgi_codec_write(conn->codec, bytes, n);
    }
    if (n > 0)
        return true;
    if (x->partial)
        libfcgi_codec_flush(conn->codec);
    else if (x->broken)
        return finish_broken(conn);
    else
        finish(conn);
    return false;
}

/* The next bytes of a streamed response: its head, then what has come of its body. */
static size_t
stream_next(struct exchange *x, const char **bytes)
{
    size_t n = exchange_next(x, bytes, SLICE_BYTES);

    if (n > 0)
        return n;
    *bytes = x->worker->scratch;
    return body_pipe_read(x->fetch->pipe, x->worker->scratch, STREAM_SLICE);
}

/* As frame(), but each event of the origin goes out at once, and little is held. */
static bool
frame_stream(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    bool ended =
        x->in_flight == 0; /* asked before the stream is read, or its last bytes are lost */
    const char *bytes;
    size_t n = 1;

    while (conn->out.len - conn->out_sent < STREAM_OUT_BYTES && n > 0) {
        n = stream_next(x, &bytes);
        libfcgi_codec_write(conn->codec, bytes, n);
    }
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
    if (sent == 0 || more)
        return WRITE_BLOCKED;
    if (conn->finished)
        return WRITE_DONE;
    return conn->abort_at_us != 0 ? WRITE_WILL_ABORT : WRITE_IDLE;
}
