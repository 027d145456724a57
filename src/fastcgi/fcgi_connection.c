/* fcgi_connection.c - one connection of a web server: a request, its response, and the next one. */

#include "fastcgi/fcgi_connection.h"

#include "fastcgi/libfcgi_codec.h"
#include "util/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Four times what response_writer.c lets wait.  Only a peer that asks the record parser for answers
 * and reads none gets there: it is closed.
 */
#define OUT_MAX (1 << 20)

/* -- the state ----------------------------------------------------------- */

#define TO(state) (1u << CONN_##state)

void
fcgi_connection_set_state(struct fcgi_connection *conn, enum connection_state state)
{
    static const unsigned allowed[] = {
        [CONN_READING] = TO(WAITING) | TO(WRITING) | TO(CLOSED),
        [CONN_WAITING] = TO(WRITING) | TO(CLOSED),
        [CONN_WRITING] = TO(WRITING) | TO(READING) | TO(LINGERING) | TO(CLOSED),
        [CONN_LINGERING] = TO(CLOSED),
        [CONN_CLOSED] = 0,
    };

    assert(allowed[conn->state] & 1u << state);
    conn->state = state;
}

/* -- between requests ------------------------------------------------------ */

void
fcgi_connection_set_idle(struct fcgi_connection *conn)
{
    fcgi_connection_leave_idle(conn);
    conn->idle_since_us = conn->worker->loop.now_us;
    list_append(&conn->worker->idle, &conn->idle_link);
}

void
fcgi_connection_leave_idle(struct fcgi_connection *conn)
{
    list_remove(&conn->idle_link);
}

bool
fcgi_connection_has_unread(const struct fcgi_connection *conn)
{
    char byte;

    return recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* -- socket and timeout -------------------------------------------------- */

void
fcgi_connection_watch(struct fcgi_connection *conn, uint32_t events)
{
    if (events == conn->events)
        return;
    loop_change(&conn->worker->loop, &conn->watch, events);
    conn->events = events;
}

void
fcgi_connection_set_timeout(struct fcgi_connection *conn, int seconds)
{
    struct loop *loop = &conn->worker->loop;

    timer_set(&loop->timers, &conn->timer, loop->now_us + (int64_t)seconds * US_PER_SECOND);
}

void
fcgi_connection_clear_timeout(struct fcgi_connection *conn)
{
    timer_clear(&conn->worker->loop.timers, &conn->timer);
}

bool
fcgi_connection_has_timeout(const struct fcgi_connection *conn)
{
    return timer_is_set(&conn->timer);
}

/* -- the accounts of a request ------------------------------------------- */

void
fcgi_connection_begin_request(struct fcgi_connection *conn)
{
    conn->in_request = true;
    conn->head_until_us = 0;
    atomic_fetch_add(&conn->worker->server->busy, 1);
    counter_add(&conn->worker->server->stats.requests, 1);
}

void
fcgi_connection_end_request(struct fcgi_connection *conn)
{
    record_parser_next(&conn->parser);
    conn->body_lost = conn->refused = false;
    conn->upload = (struct upload_input){ 0 };
    conn->held_until_us = 0;
    if (!conn->in_request)
        return;
    conn->in_request = conn->over_budget = false;
    counter_add(&conn->worker->server->stats.bodies, -conn->body_bytes);
    conn->body_bytes = 0;
    atomic_fetch_sub(&conn->worker->server->busy, 1);
}

/* -- the end ------------------------------------------------------------- */

void
fcgi_connection_close(struct fcgi_connection *conn)
{
    if (conn->state == CONN_CLOSED)
        return;
    fcgi_connection_set_state(conn, CONN_CLOSED);
    loop_remove(&conn->worker->loop, &conn->watch);
    fcgi_connection_clear_timeout(conn);
    list_remove(&conn->ready_link);
    fcgi_connection_leave_idle(conn);
    /* Counted off first: who sees the end of this connection finds its place free. */
    counter_add(&conn->worker->server->stats.connections, -1);
    close(conn->watch.fd);
    list_remove(&conn->link);
    list_append(&conn->worker->closing, &conn->link);
    if (conn->exchange.in_flight > 0 || conn->exchange.work.pending)
        exchange_cancel(&conn->exchange);
    else
        fcgi_connection_end_request(conn);
}

void
fcgi_connection_free(struct fcgi_connection *conn)
{
    list_remove(&conn->link);
    exchange_destroy(&conn->exchange);
    libfcgi_codec_free(conn->codec);
    buffer_free(&conn->in);
    buffer_free(&conn->out);
    free(conn);
}

/* -- the start ----------------------------------------------------------- */

/* All but the codec and the watch. */
static void
init(struct fcgi_connection *conn, struct fcgi_worker *w, void (*on_timeout)(struct timer *t))
{
    conn->worker = w;
    timer_init(&conn->timer, on_timeout);
    list_init(&conn->link);
    list_init(&conn->ready_link);
    list_init(&conn->idle_link);
    exchange_init(&conn->exchange);
    record_parser_init(&conn->parser);
    buffer_init(&conn->in, SIZE_MAX / 2); /* the record parser holds the real limits */
    buffer_init(&conn->out, OUT_MAX);
}

struct fcgi_connection *
fcgi_connection_new(struct fcgi_worker *w, void (*on_event)(struct watch *watch, uint32_t events),
                    void (*on_timeout)(struct timer *t))
{
    struct fcgi_connection *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    init(conn, w, on_timeout);
    conn->watch.ready = on_event;
    if (buffer_reserve(&conn->out, FCGI_CONNECTION_KEEP - 1) != 0 ||
        (conn->codec = libfcgi_codec_new(&conn->in, &conn->out)) == NULL) {
        fcgi_connection_free(conn);
        return NULL;
    }
    conn->exchange.server = w->server;
    conn->exchange.worker = w;
    conn->exchange.codec = conn->codec;
    return conn;
}

int
fcgi_connection_open(struct fcgi_connection *conn, int fd)
{
    struct fcgi_worker *w = conn->worker;

    conn->watch.fd = fd;
    conn->events = EPOLLIN;
    if (loop_add(&w->loop, &conn->watch, conn->events) != 0)
        return -1;
    list_append(&w->connections, &conn->link);
    counter_add(&w->server->stats.connections, 1);
    fcgi_connection_set_idle(conn);
    return 0;
}
