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
    struct fcgi_worker *responder;
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
fcgi_worker_server(struct fcgi_worker *r)
{
    return r->server;
}

struct loop *
fcgi_worker_loop(struct fcgi_worker *r)
{
    return &r->loop;
}

char *
fcgi_worker_scratch(struct fcgi_worker *r)
{
    return r->scratch;
}

void
fcgi_worker_wake(struct fcgi_worker *r)
{
    loop_wake(&r->loop);
}

void
fcgi_worker_add(struct fcgi_worker *r, struct fcgi_connection *c)
{
    list_append(&r->connections, &c->place);
}

void
fcgi_worker_defer_free(struct fcgi_worker *r, struct fcgi_connection *c)
{
    list_remove(&c->place);
    list_append(&r->gone, &c->place);
}

void
fcgi_worker_mark_ready(struct fcgi_worker *r, struct fcgi_connection *c)
{
    list_remove(&c->stir);
    list_append(&r->stirred, &c->stir);
}

/* -- accepting ----------------------------------------------------------- */

static void
close_doors(struct fcgi_worker *r)
{
    for (size_t i = 0; i < r->door_count; i++)
        loop_remove(&r->loop, &r->doors[i].watch);
    r->accepting = false;
}

/* EPOLLEXCLUSIVE: a new connection wakes one responder, not all of them. */
static int
open_doors(struct fcgi_worker *r)
{
    for (size_t i = 0; i < r->door_count; i++)
        if (loop_add(&r->loop, &r->doors[i].watch, EPOLLIN | EPOLLEXCLUSIVE) != 0)
            return -1;
    r->accepting = true;
    return 0;
}

static void
pause_accepting(struct fcgi_worker *r)
{
    log_warning("cannot accept a connection: %s", strerror(errno));
    close_doors(r);
    timer_set(&r->loop.timers, &r->reopen, clock_us() + ACCEPT_PAUSE_US);
}

static void
reopen(struct timer *t)
{
    struct fcgi_worker *r = container_of(t, struct fcgi_worker, reopen);

    if (r->server->draining || open_doors(r) == 0)
        return;
    close_doors(r);
    timer_set(&r->loop.timers, t, clock_us() + ACCEPT_PAUSE_US);
}

static void
on_knock(struct watch *w, uint32_t events)
{
    struct fcgi_worker *r = container_of(w, struct door, watch)->responder;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            fcgi_connection_open(r, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(r);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* -- fetches ------------------------------------------------------------- */

static void
post(struct fcgi_connection *c, struct mail *one, enum fetch_mail about)
{
    struct fcgi_worker *r = c->responder;

    one->about = about;
    if (mailbox_push(&r->inbox, one))
        loop_wake(&r->loop);
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
answer_stirred(struct fcgi_worker *r)
{
    struct link *l;

    while ((l = list_take(&r->stirred)) != NULL)
        response_writer_start(container_of(l, struct fcgi_connection, stir));
}

static void
take_inbox(struct fcgi_worker *r)
{
    struct mail *next;

    for (struct mail *one = mailbox_take(&r->inbox); one != NULL; one = next) {
        next = one->next;
        if (one->about == FETCH_NOTICE)
            fcgi_connection_on_stream_readable(container_of(one, struct curlew_fetch, notice)->arg);
        else
            fetch_is_back(container_of(one, struct curlew_fetch, mail));
    }
    answer_stirred(r);
}

static void
free_gone(struct fcgi_worker *r)
{
    struct link *next;

    for (struct link *l = r->gone.next; l != &r->gone; l = next) {
        struct fcgi_connection *c = container_of(l, struct fcgi_connection, place);

        next = l->next;
        if (c->waiting == 0)
            fcgi_connection_free(c);
    }
}

/* -- the thread ---------------------------------------------------------- */

static void
close_all(struct fcgi_worker *r)
{
    while (!list_empty(&r->connections))
        fcgi_connection_cut(container_of(r->connections.next, struct fcgi_connection, place));
}

/* drain_seconds are over: whoever still waits is let go. */
static void
give_up(struct timer *t)
{
    struct fcgi_worker *r = container_of(t, struct fcgi_worker, deadline);

    if (r->server->busy > 0)
        log_warning("drain_seconds are over: what is still in flight is cancelled");
    close_all(r);
}

static void
begin_drain(struct fcgi_worker *r)
{
    if (r->accepting)
        close_doors(r);
    timer_set(&r->loop.timers, &r->deadline, r->server->drain_until_us);
    fcgi_server_stop_accepting(r->server);
}

static void *
run(void *arg)
{
    struct fcgi_worker *r = arg;
    struct fcgi_server *g = r->server;
    bool drains = false;

    while (!g->draining || g->busy > 0) {
        loop_turn(&r->loop);
        take_inbox(r);
        free_gone(r);
        if (g->draining && !drains) {
            drains = true;
            begin_drain(r);
        }
    }
    if (!drains)
        begin_drain(r);
    close_all(r);
    free_gone(r);
    return NULL;
}

/* -- start and stop ------------------------------------------------------ */

static int
hang_doors(struct fcgi_worker *r)
{
    const struct listener_list *ls = r->server->listeners;

    if ((r->doors = calloc(ls->count, sizeof r->doors[0])) == NULL)
        return -1;
    for (; r->door_count < ls->count; r->door_count++) {
        struct door *d = &r->doors[r->door_count];

        d->watch = (struct watch){ .fd = ls->items[r->door_count].fd, .ready = on_knock };
        d->responder = r;
    }
    return open_doors(r);
}

struct fcgi_worker *
fcgi_worker_new(struct fcgi_server *g, struct failure *err)
{
    struct fcgi_worker *r = calloc(1, sizeof *r);

    if (r == NULL)
        goto no_memory;
    r->server = g;
    mailbox_init(&r->inbox);
    list_init(&r->connections);
    list_init(&r->gone);
    list_init(&r->stirred);
    timer_init(&r->reopen, reopen);
    timer_init(&r->deadline, give_up);
    if (loop_init(&r->loop) != 0)
        goto no_loop;
    if (hang_doors(r) != 0 || pthread_create(&r->thread, NULL, run, r) != 0)
        goto no_thread;
    pthread_setname_np(r->thread, "responder");
    return r;

no_thread:
    free(r->doors);
    loop_destroy(&r->loop);
no_loop:
    mailbox_destroy(&r->inbox);
    free(r);
no_memory:
    failure_set(err, ERROR_INTERNAL, "cannot start a responder thread: %s", strerror(errno));
    return NULL;
}

void
fcgi_worker_join(struct fcgi_worker *r)
{
    pthread_join(r->thread, NULL);
}

void
fcgi_worker_free(struct fcgi_worker *r)
{
    free(r->doors);
    loop_destroy(&r->loop);
    mailbox_destroy(&r->inbox);
    free(r);
}
