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
fcgi_connection_loop(struct fcgi_connection *c)
{
    return fcgi_worker_loop(c->responder);
}

struct fcgi_server *
fcgi_connection_server(struct fcgi_connection *c)
{
    return fcgi_worker_server(c->responder);
}

void
fcgi_connection_watch(struct fcgi_connection *c, uint32_t events)
{
    if (events == c->events)
        return;
    loop_change(fcgi_connection_loop(c), &c->watch, events);
    c->events = events;
}

void
fcgi_connection_set_timeout(struct fcgi_connection *c, int seconds)
{
    timer_set(&fcgi_connection_loop(c)->timers, &c->timer,
              fcgi_connection_loop(c)->now_us + (int64_t)seconds * US_PER_SECOND);
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
fcgi_connection_request_done(struct fcgi_connection *c)
{
    record_parser_next(&c->parser);
    if (!c->opened)
        return;
    c->opened = c->crowded = false;
    counter_add(&fcgi_connection_server(c)->stats.bodies, -c->held);
    c->held = 0;
    fcgi_server_request_done(fcgi_connection_server(c));
}

/* The responder frees it once its fetches are back. */
void
fcgi_connection_close(struct fcgi_connection *c)
{
    if (c->state == GONE)
        return;
    c->state = GONE;
    loop_remove(fcgi_connection_loop(c), &c->watch);
    timer_clear(&fcgi_connection_loop(c)->timers, &c->timer);
    list_remove(&c->stir);
    close(c->watch.fd);
    counter_add(&fcgi_connection_server(c)->stats.connections, -1);
    fcgi_worker_defer_free(c->responder, c);
    if (c->waiting > 0)
        exchange_cancel(&c->call);
    else
        fcgi_connection_request_done(c);
}

void
fcgi_connection_free(struct fcgi_connection *c)
{
    list_remove(&c->place);
    exchange_destroy(&c->call);
    libfcgi_codec_free(c->codec);
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c);
}

void
fcgi_connection_cut(struct fcgi_connection *c)
{
    if (c->state == WRITING && !c->finished)
        response_writer_abort(c);
    fcgi_connection_close(c);
}

static void
impatient(struct timer *t)
{
    struct fcgi_connection *c = container_of(t, struct fcgi_connection, timer);

    if (c->breaking)
        response_writer_on_writable(c);
    else
        fcgi_connection_cut(c);
}

static void
on_ready(struct watch *w, uint32_t events)
{
    struct fcgi_connection *c = container_of(w, struct fcgi_connection, watch);

    if (events & EPOLLRDHUP) { /* watched for only while a next request waits in the socket */
        fcgi_connection_close(c);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        request_reader_on_readable(c);
    if (events & EPOLLOUT && c->state == WRITING)
        response_writer_on_writable(c);
}

/* -- the start ----------------------------------------------------------- */

int
fcgi_connection_open(struct fcgi_worker *r, int fd)
{
    struct fcgi_connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        goto no_connection;
    c->responder = r;
    c->state = READING;
    c->watch = (struct watch){ .fd = fd, .ready = on_ready };
    c->events = EPOLLIN;
    timer_init(&c->timer, impatient);
    list_init(&c->place);
    list_init(&c->stir);
    exchange_init(&c->call);
    record_parser_init(&c->parser);
    buffer_init(&c->in, SIZE_MAX / 2); /* the screen holds the real limits */
    buffer_init(&c->out, OUT_MAX);
    if ((c->codec = libfcgi_codec_new(&c->in, &c->out)) == NULL)
        goto no_fastcgi;
    c->call.server = fcgi_worker_server(r);
    c->call.connection = c;
    c->call.codec = c->codec;
    if (loop_add(fcgi_worker_loop(r), &c->watch, c->events) != 0)
        goto no_watch;
    fcgi_worker_add(r, c);
    counter_add(&fcgi_connection_server(c)->stats.connections, 1);
    return 0;

no_watch:
    libfcgi_codec_free(c->codec);
no_fastcgi:
    free(c);
no_connection:
    close(fd);
    return -1;
}
