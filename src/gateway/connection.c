/* connection.c - one connection of a web server: a request, its answer, and the next one. */

#include "gateway/connection.h"

#include "gateway/fastcgi.h"
#include "gateway/reading.h"
#include "gateway/reply.h"
#include "gateway/responder.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_BYTES 16384 /* a buffer up to this size is kept for the next request */

/*
 * Four times what reply.c lets wait.  Only a peer that asks the screen for answers and reads
 * none gets
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
    c->opened = c->crowded = false;
    counter_add(&connection_gateway(c)->stats.bodies, -c->held);
    c->held = 0;
    gateway_request_over(connection_gateway(c));
}

/* The responder frees it once its fetches are back. */
void
connection_close(struct connection *c)
{
    if (c->state == GONE)
        return;
    c->state = GONE;
    loop_remove(connection_loop(c), &c->watch);
    timer_clear(&connection_loop(c)->timers, &c->timer);
    list_remove(&c->stir);
    close(c->watch.fd);
    counter_add(&connection_gateway(c)->stats.connections, -1);
    responder_bury(c->responder, c);
    if (c->waiting > 0)
        call_cancel(&c->call);
    else
        connection_request_over(c);
}

void
connection_free(struct connection *c)
{
    list_remove(&c->place);
    call_destroy(&c->call);
    fastcgi_free(c->fastcgi);
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c);
}

void
connection_cut(struct connection *c)
{
    if (c->state == WRITING && !c->finished)
        reply_break(c);
    connection_close(c);
}

static void
impatient(struct timer *t)
{
    struct connection *c = container_of(t, struct connection, timer);

    if (c->breaking)
        reply_pump(c);
    else
        connection_cut(c);
}

static void
on_ready(struct watch *w, uint32_t events)
{
    struct connection *c = container_of(w, struct connection, watch);

    if (events & EPOLLRDHUP) { /* watched for only while a next request waits in the socket */
        connection_close(c);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        reading_some(c);
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
    list_init(&c->stir);
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
