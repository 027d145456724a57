/* fcgi_worker.c - one thread: it accepts connections of web servers and serves them. */

#include "fastcgi/fcgi_worker.h"

#include "fastcgi/acceptor.h"
#include "fastcgi/fcgi_connection.h"
#include "fastcgi/listener.h"
#include "fastcgi/protocol.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * In a drain a connection that is idle may still get a request: the web server doesn't know yet.
 * Those that are in use get one within this time, and are closed after its response.
 */
#define QUIET_US (500 * US_PER_MS)

/* -- fetches ------------------------------------------------------------- */

/* All that has come for a batch is written in one go. */
static void
write_ready(struct fcgi_worker *w)
{
    struct link *l;

    while ((l = list_take(&w->ready)) != NULL)
        protocol_write(container_of(l, struct fcgi_connection, ready_link));
}

static void
read_inbox(struct fcgi_worker *w)
{
    struct mail *next;

    for (struct mail *mail = mailbox_take(&w->inbox); mail != NULL; mail = next) {
        next = mail->next;
        if (mail->about == EXCHANGE_WORK_ENDED) {
            protocol_on_work_ended(container_of(mail, struct exchange, work.mail));
        } else if (mail->about == FETCH_NOTICE) {
            protocol_on_stream_readable(container_of(mail, struct curlew_fetch, notice)->arg);
        } else if (mail->about == FETCH_UPLOAD_ROOM) {
            protocol_on_upload_room(container_of(mail, struct curlew_fetch, upload_room)->arg);
        } else {
            struct curlew_fetch *f = container_of(mail, struct curlew_fetch, mail);

            protocol_on_fetch_done(f->arg, f);
        }
    }
    write_ready(w);
}

static void
free_closed(struct fcgi_worker *w)
{
    struct link *next;

    for (struct link *l = w->closing.next; l != &w->closing; l = next) {
        struct fcgi_connection *conn = container_of(l, struct fcgi_connection, link);

        next = l->next;
        if (conn->exchange.in_flight == 0 && !conn->exchange.work.pending)
            fcgi_connection_free(conn);
    }
}

/* -- the thread ---------------------------------------------------------- */

static void
on_slow_turn(struct turn_watchdog *dog, int64_t turn_us)
{
    (void)dog;
    log_warning("a turn of a fcgi-worker thread took %lld ms: its other requests waited",
                (long long)(turn_us / US_PER_MS));
}

static void
abort_all(struct fcgi_worker *w)
{
    while (!list_empty(&w->connections))
        protocol_abort(container_of(w->connections.next, struct fcgi_connection, link));
}

/* drain_seconds have passed: requests that still wait are aborted. */
static void
on_drain_timeout(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, drain_timer);

    if (w->server->busy > 0 && !atomic_exchange(&w->server->told_of_cut, true))
        log_warning("drain_seconds have passed: requests in flight are cancelled");
    abort_all(w);
}

/* Nothing to do but to wake the thread: it looks again whether it may leave. */
static void
on_quiet(struct timer *t)
{
    (void)t;
}

/* The last worker that stops accepting closes the listeners. */
static void
begin_drain(struct fcgi_worker *w)
{
    acceptor_stop(w);
    timer_set(&w->loop.timers, &w->drain_timer, w->server->drain_until_us);
    w->last_input_us = clock_us();
    for (struct link *l = w->connections.next; l != &w->connections; l = l->next)
        protocol_drain(container_of(l, struct fcgi_connection, link));
    if (atomic_fetch_sub(&w->server->accepting, 1) == 1)
        listener_list_close(w->server->listeners);
}

/* The last request of all has been answered here: the others may leave, too. */
static void
wake_others(struct fcgi_worker *w)
{
    for (int i = 0; i < w->server->worker_count; i++)
        if (w->server->workers[i] != w)
            loop_wake(&w->server->workers[i]->loop);
}

/* To close it now would lose a request that waits in its socket, or reset what was answered. */
static bool
is_unfinished(const struct fcgi_connection *conn)
{
    if (conn->state == CONN_LINGERING)
        return true;
    return conn->state == CONN_READING &&
           (record_parser_is_skipping(&conn->parser) || fcgi_connection_has_unread(conn));
}

static bool
has_unfinished(const struct fcgi_worker *w)
{
    for (const struct link *l = w->connections.next; l != &w->connections; l = l->next)
        if (is_unfinished(container_of(l, struct fcgi_connection, link)))
            return true;
    return false;
}

/* May a web server be about to send a request on a connection that is open? */
static bool
expects_requests(struct fcgi_worker *w)
{
    int64_t until = w->last_input_us + QUIET_US;

    if (list_empty(&w->idle) || clock_us() >= until)
        return false;
    timer_set(&w->loop.timers, &w->quiet_timer, until);
    return true;
}

static bool
may_leave(struct fcgi_worker *w)
{
    return w->server->draining && w->server->busy == 0 && !expects_requests(w) &&
           !has_unfinished(w);
}

static void *
run(void *arg)
{
    struct fcgi_worker *w = arg;
    struct fcgi_server *server = w->server;
    bool drains = false;

    pthread_mutex_lock(&server->starting);
    pthread_mutex_unlock(&server->starting);
    while (!drains || !may_leave(w)) {
        loop_turn(&w->loop);
        read_inbox(w);
        free_closed(w);
        acceptor_relieve(w);
        if (server->draining && !drains) {
            drains = true;
            begin_drain(w);
        }
    }
    wake_others(w);
    abort_all(w);
    free_closed(w);
    return NULL;
}

/* -- start and stop ------------------------------------------------------ */

struct fcgi_worker *
fcgi_worker_new(struct fcgi_server *server, struct failure *err)
{
    struct fcgi_worker *w = calloc(1, sizeof *w);

    if (w == NULL)
        goto no_memory;
    w->server = server;
    mailbox_init(&w->inbox);
    list_init(&w->connections);
    list_init(&w->closing);
    list_init(&w->ready);
    list_init(&w->idle);
    timer_init(&w->quiet_timer, on_quiet);
    timer_init(&w->drain_timer, on_drain_timeout);
    if (loop_init(&w->loop) != 0)
        goto no_loop;
    w->loop.watchdog.slow_turns = &server->stats.slow_turns;
    w->loop.watchdog.report = on_slow_turn;
    if (acceptor_start(w) != 0 || pthread_create(&w->thread, NULL, run, w) != 0)
        goto no_thread;
    pthread_setname_np(w->thread, "fcgi-worker");
    return w;

no_thread:
    acceptor_destroy(w);
    loop_destroy(&w->loop);
no_loop:
    mailbox_destroy(&w->inbox);
    free(w);
no_memory:
    failure_set(err, ERROR_INTERNAL, "cannot start a worker thread: %s", strerror(errno));
    return NULL;
}

void
fcgi_worker_join(struct fcgi_worker *w)
{
    pthread_join(w->thread, NULL);
}

void
fcgi_worker_free(struct fcgi_worker *w)
{
    acceptor_destroy(w);
    if (w->spare != NULL)
        fcgi_connection_free(w->spare);
    loop_destroy(&w->loop);
    mailbox_destroy(&w->inbox);
    free(w);
}
