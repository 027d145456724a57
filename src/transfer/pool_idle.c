/* pool_idle.c - sockets without a transfer: how many stay open, and for how long. */

#include "transfer/pool_socket.h"
#include "util/clock.h"

#include <sys/socket.h>

void
pool_leave_idle(struct pool_socket *s)
{
    if (list_empty(&s->place))
        return;
    timer_clear(&s->pool->loop->timers, &s->timer);
    list_remove(&s->place);
    s->pool->idle_count--;
}

/* Closed, as its peer sees it; libcurl gives the descriptor back when it next looks. */
static void
retire(struct pool_socket *s)
{
    pool_leave_idle(s);
    pool_uncount(s);
    shutdown(s->watch.fd, SHUT_RDWR);
}

void
pool_idle_over(struct timer *t)
{
    retire(container_of(t, struct pool_socket, timer));
}

static bool
is_reset(const struct pool_socket *s)
{
    return counter_read(&s->session->state->resets) != s->resets;
}

/* The session may keep so many: beyond, the one idle for longest goes. */
static void
bound_idle(struct connection_pool *p, const struct session *of)
{
    struct pool_socket *oldest = NULL;
    int count = 0;

    if (p->idle_count <= of->settings.idle_connections)
        return;
    for (struct link *l = p->idle.next; l != &p->idle; l = l->next) {
        struct pool_socket *s = container_of(l, struct pool_socket, place);

        if (s->session->state != of->state)
            continue;
        oldest = oldest != NULL ? oldest : s;
        count++;
    }
    if (count > of->settings.idle_connections)
        retire(oldest);
}

/*
 * Several transfers may share a socket under HTTP/2, and none of them need be polled for: paused
 * ones.
 */
static bool
has_users(struct pool_socket *s, struct link *running)
{
    for (struct link *l = running->next; l != running && s->conn_id != 0; l = l->next)
        if (container_of(l, struct curlew_fetch, place)->conn_id == s->conn_id)
            return true;
    return false;
}

void
connection_pool_mark_idle(struct connection_pool *p, int fd, struct link *running)
{
    struct pool_socket *s = fd >= 0 ? pool_socket_of(p, fd) : NULL;
    int64_t until;

    if (s == NULL || s->config == NULL || s->wanted != 0 || has_users(s, running))
        return;
    pool_leave_idle(s);
    until = clock_us() + (int64_t)s->session->settings.idle_seconds * US_PER_SECOND;
    list_append(&p->idle, &s->place);
    p->idle_count++;
    if (is_reset(s)) { /* it was busy when its session was reset */
        retire(s);
        return;
    }
    timer_set(&p->loop->timers, &s->timer, until);
    bound_idle(p, s->session);
}

void
connection_pool_drop_reset(struct connection_pool *p)
{
    struct link *next;

    for (struct link *l = p->idle.next; l != &p->idle; l = next) {
        struct pool_socket *s = container_of(l, struct pool_socket, place);

        next = l->next;
        if (is_reset(s))
            retire(s);
    }
}
