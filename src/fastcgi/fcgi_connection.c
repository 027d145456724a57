/* fcgi_connection.c - one connection of a web server: a request, its answer, and the next one. */

#include "fastcgi/fcgi_connection.h"

#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "fastcgi/request_reader.h"
#include "fastcgi/response_writer.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_BYTES 16384 /* a buffer up to this size is kept for the next request */

/*
 * Four times what reply.c lets wait.  Only a peer that asks the screen for answers and reads none
 * gets there: it is cut off.
 */
#define OUT_MAX (1 << 20)

struct loop *
fcgi_connection_loop(struct fcgi_connection *conn)
{
    return fcgi_worker_loop(conn->worker);
}

struct fcgi_server *
fcgi_connection_server(struct fcgi_connection *conn)
{
    return fcgi_worker_server(conn->worker);
}

void
fcgi_connection_watch(struct fcgi_connection *conn, uint32_t events)
{
    if (events == conn->events)
        return;
    loop_change(fcgi_connection_loop(conn), &conn->watch, events);
    conn->events = events;
}

void
fcgi_connection_set_timeout(struct fcgi_connection *conn, int seconds)
{
    timer_set(&fcgi_connection_loop(conn)->timers, &conn->timer,
              fcgi_connection_loop(conn)->now_us + (int64_t)seconds * US_PER_SECOND);
}

void
fcgi_connection_reset_buffer(struct buffer *b)
{
    if (b->cap > KEEP_BYTES || b->failed)
        buffer_free(b);
    else
        buffer_clear(b);
}

/* -- the end ------------------------------------------------------------- */

void
fcgi_connection_request_done(struct fcgi_connection *conn)
{
    record_parser_next(&conn->parser);
    if (!conn->opened)
        return;
    conn->opened = conn->crowded = false;
    counter_add(&fcgi_connection_server(conn)->stats.bodies, -conn->held);
    conn->held = 0;
    fcgi_server_request_done(fcgi_connection_server(conn));
}

/* The responder frees it once its fetches are back. */
void
fcgi_connection_close(struct fcgi_connection *conn)
{
    if (conn->state == GONE)
        return;
    conn->state = GONE;
    loop_remove(fcgi_connection_loop(conn), &conn->watch);
    timer_clear(&fcgi_connection_loop(conn)->timers, &conn->timer);
    list_remove(&conn->stir);
    close(conn->watch.fd);
    counter_add(&fcgi_connection_server(conn)->stats.connections, -1);
    fcgi_worker_defer_free(conn->worker, conn);
    if (conn->waiting > 0)
        exchange_cancel(&conn->exchange);
    else
        fcgi_connection_request_done(conn);
}

void
fcgi_connection_free(struct fcgi_connection *conn)
{
    list_remove(&conn->place);
    exchange_destroy(&conn->exchange);
    libfcgi_codec_free(conn->codec);
    buffer_free(&conn->in);
    buffer_free(&conn->out);
    free(conn);
}

void
fcgi_connection_cut(struct fcgi_connection *conn)
{
    if (conn->state == WRITING && !conn->finished)
        response_writer_abort(conn);
    fcgi_connection_close(conn);
}

static void
impatient(struct timer *t)
{
    struct fcgi_connection *conn = container_of(t, struct fcgi_connection, timer);

    if (conn->breaking)
        response_writer_on_writable(conn);
    else
        fcgi_connection_cut(conn);
}

static void
on_ready(struct watch *watch, uint32_t events)
{
    struct fcgi_connection *conn = container_of(watch, struct fcgi_connection, watch);

    if (events & EPOLLRDHUP) { /* watched for only while a next request waits in the socket */
        fcgi_connection_close(conn);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        request_reader_on_readable(conn);
    if (events & EPOLLOUT && conn->state == WRITING)
        response_writer_on_writable(conn);
}

/* -- the start ----------------------------------------------------------- */

int
fcgi_connection_open(struct fcgi_worker *w, int fd)
{
    struct fcgi_connection *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        goto no_connection;
    conn->worker = w;
    conn->state = READING;
    conn->watch = (struct watch){ .fd = fd, .ready = on_ready };
    conn->events = EPOLLIN;
    timer_init(&conn->timer, impatient);
    list_init(&conn->place);
    list_init(&conn->stir);
    exchange_init(&conn->exchange);
    record_parser_init(&conn->parser);
    buffer_init(&conn->in, SIZE_MAX / 2); /* the screen holds the real limits */
    buffer_init(&conn->out, OUT_MAX);
    if ((conn->codec = libfcgi_codec_new(&conn->in, &conn->out)) == NULL)
        goto no_fastcgi;
    conn->exchange.server = fcgi_worker_server(w);
    conn->exchange.connection = conn;
    conn->exchange.codec = conn->codec;
    if (loop_add(fcgi_worker_loop(w), &conn->watch, conn->events) != 0)
        goto no_watch;
    fcgi_worker_add(w, conn);
    counter_add(&fcgi_connection_server(conn)->stats.connections, 1);
    return 0;

no_watch:
    libfcgi_codec_free(conn->codec);
no_fastcgi:
    free(conn);
no_connection:
    close(fd);
    return -1;
}
