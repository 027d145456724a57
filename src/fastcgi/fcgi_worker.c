/* fcgi_worker.c - one thread: it accepts connections of web servers and serves them. */

#include "fastcgi/fcgi_worker.h"

#include "fastcgi/fcgi_connection.h"
#include "fastcgi/listener.h"
#include "fastcgi/protocol.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_BATCH    16
#define ACCEPT_PAUSE_US (100 * US_PER_MS) /* while the process is out of descriptors or memory */

struct accept_watch { /* this thread's watch on a listener */
    struct watch watch;
    struct fcgi_worker *worker;
};

/* -- accepting ----------------------------------------------------------- */

static void
stop_accepting(struct fcgi_worker *w)
{
    for (size_t i = 0; i < w->accept_watch_count; i++)
        loop_remove(&w->loop, &w->accept_watches[i].watch);
    w->accepting = false;
}

/* EPOLLEXCLUSIVE: a new connection wakes one worker, not all of them. */
static int
start_accepting(struct fcgi_worker *w)
{
    for (size_t i = 0; i < w->accept_watch_count; i++)
        if (loop_add(&w->loop, &w->accept_watches[i].watch, EPOLLIN | EPOLLEXCLUSIVE) != 0)
            return -1;
    w->accepting = true;
    return 0;
}

static void
pause_accepting(struct fcgi_worker *w)
{
    log_warning("cannot accept a connection: %s", strerror(errno));
    stop_accepting(w);
    timer_set(&w->loop.timers, &w->accept_timer, clock_us() + ACCEPT_PAUSE_US);
}

static void
on_accept_pause_over(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, accept_timer);

    if (w->server->draining || start_accepting(w) == 0)
        return;
    stop_accepting(w);
    timer_set(&w->loop.timers, t, clock_us() + ACCEPT_PAUSE_US);
}

static void
on_accept(struct watch *watch, uint32_t events)
{
    struct fcgi_worker *w = container_of(watch, struct accept_watch, watch)->worker;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            protocol_accept(w, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(w);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

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
        if (mail->about == FETCH_NOTICE) {
            protocol_on_stream_readable(container_of(mail, struct curlew_fetch, notice)->arg);
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
        if (conn->exchange.in_flight == 0)
            fcgi_connection_free(conn);
    }
}

/* -- the thread ---------------------------------------------------------- */

static void
abort_all(struct fcgi_worker *w)
{
    while (!list_empty(&w->connections))
        protocol_abort(container_of(w->connections.next, struct fcgi_connection, link));
}

/* drain_seconds are over: what still waits is aborted. */
static void
on_drain_timeout(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, drain_timer);

    if (w->server->busy > 0)
        log_warning("drain_seconds are over: what is still in flight is cancelled");
    abort_all(w);
}

/* The last worker that stops accepting closes the listeners. */
static void
begin_drain(struct fcgi_worker *w)
{
    if (w->accepting)
        stop_accepting(w);
    timer_set(&w->loop.timers, &w->drain_timer, w->server->drain_until_us);
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

/* To close a connection with a request in its socket would reset it: that gets its 503 first. */
static bool
has_unread_request(const struct fcgi_worker *w)
{
    for (const struct link *l = w->connections.next; l != &w->connections; l = l->next) {
        const struct fcgi_connection *conn = container_of(l, struct fcgi_connection, link);
        char byte;

        if (conn->state == CONN_READING &&
            recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            return true;
    }
    return false;
}

static void *
run(void *arg)
{
    struct fcgi_worker *w = arg;
    struct fcgi_server *server = w->server;
    bool drains = false;

    while (!server->draining || server->busy > 0 || has_unread_request(w)) {
        loop_turn(&w->loop);
        read_inbox(w);
        free_closed(w);
        if (server->draining && !drains) {
            drains = true;
            begin_drain(w);
        }
    }
    wake_others(w);
    if (!drains)
        begin_drain(w);
    abort_all(w);
    free_closed(w);
    return NULL;
}

/* -- start and stop ------------------------------------------------------ */

static int
watch_listeners(struct fcgi_worker *w)
{
    const struct listener_list *list = w->server->listeners;

    if ((w->accept_watches = calloc(list->count, sizeof w->accept_watches[0])) == NULL)
        return -1;
    for (; w->accept_watch_count < list->count; w->accept_watch_count++) {
        struct accept_watch *a = &w->accept_watches[w->accept_watch_count];

        a->watch =
            (struct watch){ .fd = list->items[w->accept_watch_count].fd, .ready = on_accept };
        a->worker = w;
    }
    return start_accepting(w);
}

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
    timer_init(&w->accept_timer, on_accept_pause_over);
    timer_init(&w->drain_timer, on_drain_timeout);
    if (loop_init(&w->loop) != 0)
        goto no_loop;
    if (watch_listeners(w) != 0 || pthread_create(&w->thread, NULL, run, w) != 0)
        goto no_thread;
    pthread_setname_np(w->thread, "fcgi-worker");
    return w;

no_thread:
    free(w->accept_watches);
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
    free(w->accept_watches);
    loop_destroy(&w->loop);
    mailbox_destroy(&w->inbox);
    free(w);
}
