/* fcgi_worker.c - one thread that speaks FastCGI with the connections it has accepted. */

#include "fastcgi/fcgi_worker.h"

#include "event/mailbox.h"
#include "fastcgi/fcgi_connection.h"
#include "fastcgi/response_writer.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_BATCH    16
#define ACCEPT_PAUSE_US (100 * US_PER_MS) /* while the process is out of descriptors or memory */

struct door { /* this thread's watch on a listener */
    struct watch watch;
    struct fcgi_worker *worker;
};

struct fcgi_worker {
    struct fcgi_server *server;
    pthread_t thread;
    struct loop loop;
    struct mailbox inbox; /* fetches that are back */
    struct link connections;
    struct link gone;    /* closed since the last turn */
    struct link stirred; /* fetches of theirs came back in this one */
    struct door *doors;
    size_t door_count;
    bool accepting;
    struct timer reopen, deadline;
    char scratch[FCGI_WORKER_READ_BYTES];
};

struct fcgi_server *
fcgi_worker_server(struct fcgi_worker *w)
{
    return w->server;
}

struct loop *
fcgi_worker_loop(struct fcgi_worker *w)
{
    return &w->loop;
}

char *
fcgi_worker_scratch(struct fcgi_worker *w)
{
    return w->scratch;
}

void
fcgi_worker_wake(struct fcgi_worker *w)
{
    loop_wake(&w->loop);
}

void
fcgi_worker_add(struct fcgi_worker *w, struct fcgi_connection *conn)
{
    list_append(&w->connections, &conn->place);
}

void
fcgi_worker_defer_free(struct fcgi_worker *w, struct fcgi_connection *conn)
{
    list_remove(&conn->place);
    list_append(&w->gone, &conn->place);
}

void
fcgi_worker_mark_ready(struct fcgi_worker *w, struct fcgi_connection *conn)
{
    list_remove(&conn->stir);
    list_append(&w->stirred, &conn->stir);
}

/* -- accepting ----------------------------------------------------------- */

static void
close_doors(struct fcgi_worker *w)
{
    for (size_t i = 0; i < w->door_count; i++)
        loop_remove(&w->loop, &w->doors[i].watch);
    w->accepting = false;
}

/* EPOLLEXCLUSIVE: a new connection wakes one responder, not all of them. */
static int
open_doors(struct fcgi_worker *w)
{
    for (size_t i = 0; i < w->door_count; i++)
        if (loop_add(&w->loop, &w->doors[i].watch, EPOLLIN | EPOLLEXCLUSIVE) != 0)
            return -1;
    w->accepting = true;
    return 0;
}

static void
pause_accepting(struct fcgi_worker *w)
{
    log_warning("cannot accept a connection: %s", strerror(errno));
    close_doors(w);
    timer_set(&w->loop.timers, &w->reopen, clock_us() + ACCEPT_PAUSE_US);
}

static void
reopen(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, reopen);

    if (w->server->draining || open_doors(w) == 0)
        return;
    close_doors(w);
    timer_set(&w->loop.timers, t, clock_us() + ACCEPT_PAUSE_US);
}

static void
on_knock(struct watch *watch, uint32_t events)
{
    struct fcgi_worker *w = container_of(watch, struct door, watch)->worker;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            fcgi_connection_open(w, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(w);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* -- fetches ------------------------------------------------------------- */

static void
post(struct fcgi_connection *conn, struct mail *one, enum fetch_mail about)
{
    struct fcgi_worker *w = conn->worker;

    one->about = about;
    if (mailbox_push(&w->inbox, one))
        loop_wake(&w->loop);
}

void
fcgi_worker_on_done(struct curlew_fetch *f, void *arg)
{
    post(arg, &f->mail, FETCH_FINISHED);
}

void
fcgi_worker_on_notify(struct curlew_fetch *f, void *arg)
{
    post(arg, &f->notice, FETCH_NOTICE);
}

static void
fetch_is_back(struct curlew_fetch *f)
{
    fcgi_connection_on_fetch_done(f->arg, f);
}

/* All that has come for a batch goes out in one go. */
static void
answer_stirred(struct fcgi_worker *w)
{
    struct link *l;

    while ((l = list_take(&w->stirred)) != NULL)
        response_writer_start(container_of(l, struct fcgi_connection, stir));
}

static void
take_inbox(struct fcgi_worker *w)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&w->inbox); one != NULL; one = next) {
        next = one->next;
        if (one->about == FETCH_NOTICE)
            fcgi_connection_on_stream_readable(container_of(one, struct curlew_fetch, notice)->arg);
        else
            fetch_is_back(container_of(one, struct curlew_fetch, mail));
    }
    answer_stirred(w);
}

static void
free_gone(struct fcgi_worker *w)
{
    struct link *next;

    for (struct link *l = w->gone.next; l != &w->gone; l = next) {
        struct fcgi_connection *conn = container_of(l, struct fcgi_connection, place);

        next = l->next;
        if (conn->waiting == 0)
            fcgi_connection_free(conn);
    }
}

/* -- the thread ---------------------------------------------------------- */

static void
close_all(struct fcgi_worker *w)
{
    while (!list_empty(&w->connections))
        fcgi_connection_cut(container_of(w->connections.next, struct fcgi_connection, place));
}

/* drain_seconds are over: whoever still waits is let go. */
static void
give_up(struct timer *t)
{
    struct fcgi_worker *w = container_of(t, struct fcgi_worker, deadline);

    if (w->server->busy > 0)
        log_warning("drain_seconds are over: what is still in flight is cancelled");
    close_all(w);
}

static void
begin_drain(struct fcgi_worker *w)
{
    if (w->accepting)
        close_doors(w);
    timer_set(&w->loop.timers, &w->deadline, w->server->drain_until_us);
    fcgi_server_stop_accepting(w->server);
}

static void *
run(void *arg)
{
    struct fcgi_worker *w = arg;
    struct fcgi_server *server = w->server;
    bool drains = false;

    while (!server->draining || server->busy > 0) {
        loop_turn(&w->loop);
        take_inbox(w);
        free_gone(w);
        if (server->draining && !drains) {
            drains = true;
            begin_drain(w);
        }
    }
    if (!drains)
        begin_drain(w);
    close_all(w);
    free_gone(w);
    return NULL;
}

/* -- start and stop ------------------------------------------------------ */

static int
hang_doors(struct fcgi_worker *w)
{
    const struct listener_list *ls = w->server->listeners;

    if ((w->doors = calloc(ls->count, sizeof w->doors[0])) == NULL)
        return -1;
    for (; w->door_count < ls->count; w->door_count++) {
        struct door *d = &w->doors[w->door_count];

        d->watch = (struct watch){ .fd = ls->items[w->door_count].fd, .ready = on_knock };
        d->worker = w;
    }
    return open_doors(w);
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
    list_init(&w->gone);
    list_init(&w->stirred);
    timer_init(&w->reopen, reopen);
    timer_init(&w->deadline, give_up);
    if (loop_init(&w->loop) != 0)
        goto no_loop;
    if (hang_doors(w) != 0 || pthread_create(&w->thread, NULL, run, w) != 0)
        goto no_thread;
    pthread_setname_np(w->thread, "responder");
    return w;

no_thread:
    free(w->doors);
    loop_destroy(&w->loop);
no_loop:
    mailbox_destroy(&w->inbox);
    free(w);
no_memory:
    failure_set(err, ERROR_INTERNAL, "cannot start a responder thread: %s", strerror(errno));
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
    free(w->doors);
    loop_destroy(&w->loop);
    mailbox_destroy(&w->inbox);
    free(w);
}
