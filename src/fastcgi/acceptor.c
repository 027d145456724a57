/* acceptor.c - a worker accepts connections of web servers, as far as open files allow. */

#include "fastcgi/acceptor.h"

#include "engine/engine.h"
#include "fastcgi/fcgi_connection.h"
#include "fastcgi/listener.h"
#include "fastcgi/protocol.h"
#include "util/clock.h"
#include "util/descriptors.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 16
#define PAUSE_US     (100 * US_PER_MS)
#define LOG_EVERY_US (10 * US_PER_SECOND)

/* A web server may be about to use a connection that it used a moment ago. */
#define IDLE_MIN_US US_PER_SECOND

struct accept_watch { /* this thread's watch on a listener */
    struct watch watch;
    struct fcgi_worker *worker;
};

/* -- room ------------------------------------------------------------------ */

static bool
close_idle(struct fcgi_worker *w)
{
    struct fcgi_connection *conn;

    if (list_empty(&w->idle))
        return false;
    conn = container_of(w->idle.next, struct fcgi_connection, idle_link);
    if (w->loop.now_us - conn->idle_since_us < IDLE_MIN_US || fcgi_connection_has_unread(conn))
        return false;
    fcgi_connection_close(conn);
    return true;
}

/* Here, or at another worker, whose turn comes later. */
static void
make_room(struct fcgi_worker *w)
{
    struct fcgi_server *server = w->server;

    if (close_idle(w))
        return;
    server->wants_idle_closed = true;
    for (int i = 0; i < server->worker_count; i++)
        if (server->workers[i] != w)
            loop_wake(&server->workers[i]->loop);
}

static void
refill_reserve(struct fcgi_worker *w)
{
    if (w->reserve_fd < 0)
        w->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
acceptor_relieve(struct fcgi_worker *w)
{
    if (w->server->wants_idle_closed && close_idle(w))
        w->server->wants_idle_closed = false;
    refill_reserve(w);
}

/* -- pauses ------------------------------------------------------------------ */

static int
watch_listeners(struct fcgi_worker *w)
{
    /* EPOLLEXCLUSIVE: a new connection wakes one worker, not all of them. */
    for (size_t i = 0; i < w->accept_watch_count; i++)
        if (loop_add(&w->loop, &w->accept_watches[i].watch, EPOLLIN | EPOLLEXCLUSIVE) != 0)
            return -1;
    w->accepting = true;
    return 0;
}

static void
unwatch_listeners(struct fcgi_worker *w)
{
    for (size_t i = 0; i < w->accept_watch_count; i++)
        loop_remove(&w->loop, &w->accept_watches[i].watch);
    w->accepting = false;
}

static void
log_shortage(struct fcgi_worker *w, const char *why)
{
    if (w->last_shortage_us != 0 && w->loop.now_us - w->last_shortage_us < LOG_EVERY_US)
        return;
    w->last_shortage_us = w->loop.now_us;
    log_warning("web servers' connections have to wait: %s; raise LimitNOFILE of the service, or "
                "ulimit -n",
                why);
}

static void
pause_accepting(struct fcgi_worker *w, const char *why)
{
    log_shortage(w, why);
    unwatch_listeners(w);
    timer_set(&w->loop.timers, &w->accept_timer, clock_us() + PAUSE_US);
}

static void
on_pause_over(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, accept_timer);

    if (w->server->draining || watch_listeners(w) == 0)
        return;
    unwatch_listeners(w);
    timer_set(&w->loop.timers, t, clock_us() + PAUSE_US);
}

/* -- accepting ----------------------------------------------------------------- */

/* Only with memory for the connection: it waits where it is for that, rather than be closed. */
static int
accept_plainly(struct fcgi_worker *w, int listener)
{
    if (protocol_prepare(w) != 0) {
        errno = ENOMEM;
        return -1;
    }
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* The process has no descriptor left: the one that is held for this gets a connection answered. */
static int
accept_in_shortage(struct fcgi_worker *w, int listener)
{
    descriptors_note_shortage();
    engine_drop_idle(w->server->engine);
    make_room(w);
    if (w->reserve_fd >= 0)
        close(w->reserve_fd);
    w->reserve_fd = -1;
    return accept_plainly(w, listener);
}

static int64_t
room(const struct fcgi_server *server)
{
    return server->connections_max - counter_read(&server->stats.connections);
}

/* -1: no more, or not now.  Surplus or not is asked afterwards: other workers accept meanwhile. */
static int
accept_one(struct fcgi_worker *w, int listener, bool *is_surplus)
{
    int fd;

    if (room(w->server) + w->server->surplus_max <= 0) {
        make_room(w);
        pause_accepting(w, "as many are open as the limit of open files allows");
        return -1;
    }
    fd = accept_plainly(w, listener);
    *is_surplus = room(w->server) <= 0;
    if (fd < 0 && descriptors_is_shortage(errno)) {
        *is_surplus = true;
        fd = accept_in_shortage(w, listener);
    }
    if (fd < 0 && (descriptors_is_shortage(errno) || errno == ENOBUFS || errno == ENOMEM))
        pause_accepting(w, strerror(errno));
    return fd;
}

static void
on_accept(struct watch *watch, uint32_t events)
{
    struct fcgi_worker *w = container_of(watch, struct accept_watch, watch)->worker;
    bool is_surplus;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH && w->accepting; i++) {
        int fd = accept_one(w, watch->fd, &is_surplus);

        if (fd >= 0 && is_surplus)
            make_room(w);
        if (fd >= 0)
            protocol_accept(w, fd, is_surplus);
        else if (!w->accepting || (errno != EINTR && errno != ECONNABORTED))
            return;
    }
}

/* -- start and stop ---------------------------------------------------------------- */

int
acceptor_start(struct fcgi_worker *w)
{
    const struct listener_list *list = w->server->listeners;

    timer_init(&w->accept_timer, on_pause_over);
    w->reserve_fd = -1;
    refill_reserve(w);
    if ((w->accept_watches = calloc(list->count, sizeof w->accept_watches[0])) == NULL)
        return -1;
    for (; w->accept_watch_count < list->count; w->accept_watch_count++) {
        struct accept_watch *a = &w->accept_watches[w->accept_watch_count];

        a->watch =
            (struct watch){ .fd = list->items[w->accept_watch_count].fd, .ready = on_accept };
        a->worker = w;
    }
    return watch_listeners(w);
}

void
acceptor_stop(struct fcgi_worker *w)
{
    if (w->accepting)
        unwatch_listeners(w);
    timer_clear(&w->loop.timers, &w->accept_timer);
}

void
acceptor_destroy(struct fcgi_worker *w)
{
    if (w->reserve_fd >= 0)
        close(w->reserve_fd);
    free(w->accept_watches);
}
