/* connection_pool.c - the sockets of one engine thread, busy and idle. */

#include "transfer/connection_pool.h"

#include "transfer/hop.h"
#include "util/clock.h"
#include "util/descriptors.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SIZE 256

struct pool_socket {
    struct watch watch;
    struct connection_pool *pool;
    /* Of the session that opened it; NULL: libcurl's own socket, such as the resolver's. */
    struct session_state *state;
    int idle_connections, idle_seconds; /* that session's, which itself may be gone */
    struct link idle_link;              /* among the idle, or the retired */
    struct link hop_link;               /* among the sockets of the hop that opened it */
    struct link id_link;                /* among those of its bucket */
    ino_t inode;                        /* tells whether the descriptor is still that socket */
    struct timer timer;                 /* end of its idle time */
    uint32_t wanted;                    /* EPOLLIN, EPOLLOUT: what libcurl waits for; 0: nothing */
    uint32_t events;                    /* watched for; 0: not watched */
    uint64_t conn_id;                   /* its connection, as in struct hop */
    const struct curlew_fetch *user;    /* of HTTP/1: who has begun to use it last; not to follow */
    bool counted;                       /* among the open connections */
    bool http1; /* as its last response came: while idle, any byte is one too many */
    bool retired;
    bool distrusted; /* to be retired once no transfer is on it */
    int64_t resets;  /* of the session, when the socket was opened */
};

static void on_idle_timeout(struct timer *t);
static void on_unasked(struct pool_socket *s, uint32_t events);

void
connection_pool_init(struct connection_pool *p, struct loop *loop, struct engine_stats *stats,
                     CURLM *multi,
                     void (*on_ready)(struct connection_pool *p, int fd, int curl_events))
{
    *p = (struct connection_pool){ .loop = loop, .stats = stats, .on_ready = on_ready };
    list_init(&p->idle);
    list_init(&p->retired);
    for (int i = 0; i < CONNECTION_POOL_BUCKETS; i++)
        list_init(&p->by_id[i]);
    connection_sweep_init(&p->sweep, loop, multi);
}

void
connection_pool_stop(struct connection_pool *p)
{
    connection_sweep_destroy(&p->sweep);
}

void
connection_pool_destroy(struct connection_pool *p)
{
    free(p->by_fd);
}

/* -- one socket ---------------------------------------------------------- */

/* -1: the kernel has no memory, or the user too many watches. */
static int
watch_for(struct pool_socket *s, uint32_t events)
{
    struct loop *loop = s->pool->loop;

    if (events == s->events)
        return 0;
    if (events == 0)
        loop_remove(loop, &s->watch);
    else if (s->events != 0)
        loop_change(loop, &s->watch, events);
    else if (loop_add(loop, &s->watch, events) != 0)
        return -1;
    s->events = events;
    return 0;
}

static void
on_socket_ready(struct watch *w, uint32_t events)
{
    struct pool_socket *s = container_of(w, struct pool_socket, watch);
    int what = 0;

    if (s->wanted == 0) {
        on_unasked(s, events);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        what |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    s->pool->on_ready(s->pool, w->fd, what);
}

static void
uncount(struct pool_socket *s)
{
    counter_add(&s->pool->stats->connections, s->counted ? -1 : 0);
    s->counted = false;
}

static int
grow_table(struct connection_pool *p, int fd)
{
    size_t size = p->size ? p->size : FIRST_SIZE;
    struct pool_socket **table;

    while (size <= (size_t)fd)
        size *= 2;
    if (size == p->size)
        return 0;
    if ((table = realloc(p->by_fd, size * sizeof table[0])) == NULL)
        return -1;
    memset(table + p->size, 0, (size - p->size) * sizeof table[0]);
    p->by_fd = table;
    p->size = size;
    return 0;
}

static struct pool_socket *
socket_new(struct connection_pool *p, int fd)
{
    struct pool_socket *s;

    if (grow_table(p, fd) != 0 || (s = calloc(1, sizeof *s)) == NULL)
        return NULL;
    s->watch = (struct watch){ .fd = fd, .ready = on_socket_ready };
    s->pool = p;
    list_init(&s->idle_link);
    list_init(&s->hop_link);
    list_init(&s->id_link);
    timer_init(&s->timer, on_idle_timeout);
    p->by_fd[fd] = s;
    return s;
}

static struct pool_socket *
socket_of(struct connection_pool *p, int fd)
{
    return (size_t)fd < p->size ? p->by_fd[fd] : NULL;
}

static bool
is_idle(const struct pool_socket *s)
{
    return !s->retired && !list_empty(&s->idle_link);
}

static void
leave_idle(struct pool_socket *s)
{
    if (!is_idle(s))
        return;
    timer_clear(&s->pool->loop->timers, &s->timer);
    list_remove(&s->idle_link);
    s->pool->idle_count--;
}

static void
socket_free(struct pool_socket *s)
{
    leave_idle(s);
    uncount(s);
    if (s->state != NULL)
        counter_add(&s->pool->stats->sockets, -1);
    list_remove(&s->idle_link);
    list_remove(&s->hop_link);
    list_remove(&s->id_link);
    if (s->pool->by_fd[s->watch.fd] == s)
        s->pool->by_fd[s->watch.fd] = NULL;
    session_state_unref(s->state);
    free(s);
}

static void
socket_close(struct pool_socket *s)
{
    if (s->events != 0)
        loop_remove(s->pool->loop, &s->watch);
    socket_free(s);
}

/* libcurl has closed it silently: its descriptor may belong to anybody by now. */
static void
socket_forget(struct pool_socket *s)
{
    loop_forget(s->pool->loop, &s->watch);
    socket_free(s);
}

static ino_t
inode_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* -- libcurl's callbacks --------------------------------------------------- */

/* A new socket, on f's behalf; -1: no memory. */
static int
add_opened(struct curlew_fetch *f, int fd)
{
    struct connection_pool *p = f->hop->pool;
    struct pool_socket *s = socket_of(p, fd);

    if (s != NULL)
        socket_forget(s);
    if ((s = socket_new(p, fd)) == NULL)
        return -1;
    s->inode = inode_of(fd);
    list_append(&f->hop->sockets, &s->hop_link);
    if (f->hop->opened_us == 0)
        f->hop->opened_us = clock_us();
    s->state = session_state_ref(f->session->state);
    s->idle_connections = f->session->settings.idle_connections;
    s->idle_seconds = f->session->settings.idle_seconds;
    s->counted = true;
    s->resets = counter_read(&f->session->state->resets);
    counter_add(&p->stats->connections, 1);
    counter_add(&p->stats->sockets, 1);
    counter_add(&p->stats->connections_opened, 1);
    return 0;
}

static int
fail_short(struct curlew_fetch *f)
{
    f->hop->pool->is_short = true;
    return descriptors_fail(&f->failure);
}

/* Is so much in use, in quarters of the share, by all threads together? */
static bool
uses(const struct connection_pool *p, int quarters)
{
    return p->share > 0 && 4 * counter_read(&p->stats->sockets) >= (int64_t)quarters * p->share;
}

int
connection_pool_open(struct curlew_fetch *f, int family, int type, int protocol)
{
    struct connection_pool *p = f->hop->pool;
    int fd;

    /* Half a share more: for second addresses, and other threads, which may have many idle ones. */
    if (uses(p, 6))
        return fail_short(f);
    if (uses(p, 5))
        p->is_short = true;
    fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0 && descriptors_is_shortage(errno)) {
        descriptors_note_shortage();
        return fail_short(f);
    }
    if (fd >= 0 && add_opened(f, fd) != 0) {
        close(fd);
        return failure_no_memory(&f->failure);
    }
    return fd;
}

/* The next of a connection's sockets, behind `after` (NULL: the first); of two, one is unused. */
static struct pool_socket *
next_by_id(const struct connection_pool *p, uint64_t conn_id, const struct pool_socket *after)
{
    const struct link *bucket = &p->by_id[conn_id % CONNECTION_POOL_BUCKETS];
    const struct link *l = after != NULL ? after->id_link.next : bucket->next;

    for (; l != bucket; l = l->next) {
        struct pool_socket *s = container_of(l, struct pool_socket, id_link);

        if (s->conn_id == conn_id)
            return s;
    }
    return NULL;
}

/*
 * In use from here on.  libcurl does not say so of a transfer that pauses as soon as it begins: it
 * then waits for nothing on the socket.
 */
void
connection_pool_on_request(struct curlew_fetch *f, uint64_t conn_id)
{
    struct connection_pool *p = f->hop->pool;

    f->hop->conn_id = conn_id;
    p->newest_id = conn_id > p->newest_id ? conn_id : p->newest_id;
    /* Those that are new. */
    for (struct link *l = f->hop->sockets.next; l != &f->hop->sockets; l = l->next) {
        struct pool_socket *s = container_of(l, struct pool_socket, hop_link);

        if (s->conn_id != 0)
            continue;
        s->conn_id = conn_id;
        list_append(&p->by_id[conn_id % CONNECTION_POOL_BUCKETS], &s->id_link);
    }
    for (struct pool_socket *s = NULL; (s = next_by_id(p, conn_id, s)) != NULL;) {
        leave_idle(s);
        s->user = f;
    }
}

/* The first byte waits to be read, or the connection has ended. */
static bool
has_input(const struct pool_socket *s)
{
    char byte;

    return recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void
connection_pool_on_response(struct connection_pool *p, uint64_t conn_id, bool http1)
{
    for (struct pool_socket *s = NULL; (s = next_by_id(p, conn_id, s)) != NULL;)
        s->http1 = http1;
}

bool
connection_pool_was_http1(const struct connection_pool *p, uint64_t conn_id)
{
    const struct pool_socket *s = next_by_id(p, conn_id, NULL);

    return s != NULL && s->http1;
}

bool
connection_pool_is_usable(const struct connection_pool *p, uint64_t conn_id)
{
    for (const struct pool_socket *s = NULL; (s = next_by_id(p, conn_id, s)) != NULL;)
        if (s->retired || s->distrusted || (s->http1 && has_input(s)))
            return false;
    return true;
}

void
connection_pool_distrust(struct connection_pool *p, uint64_t conn_id)
{
    for (struct pool_socket *s = NULL; (s = next_by_id(p, conn_id, s)) != NULL;)
        s->distrusted = true;
}

int
connection_pool_unsent(const struct connection_pool *p, uint64_t conn_id)
{
    const struct pool_socket *s = next_by_id(p, conn_id, NULL);
    int n = 0;

    return s != NULL && ioctl(s->watch.fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

/* libcurl may close() a socket that did not connect, past our callback; then its number is free. */
void
connection_pool_hop_done(struct curlew_fetch *f)
{
    struct link *l;

    while ((l = list_take(&f->hop->sockets)) != NULL) {
        struct pool_socket *s = container_of(l, struct pool_socket, hop_link);

        if (inode_of(s->watch.fd) != s->inode)
            socket_forget(s);
    }
}

static int
on_close(void *arg, curl_socket_t fd)
{
    struct connection_pool *p = arg;
    struct pool_socket *s = socket_of(p, fd);

    if (s != NULL)
        socket_close(s);
    return close(fd);
}

void
connection_pool_attach(struct curlew_fetch *f, struct connection_pool *p)
{
    f->hop->pool = p;
    hop_set(f->hop, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    hop_set(f->hop, CURLOPT_CLOSESOCKETDATA, p);
}

/*
 * Between two transfers a connection is watched as before: the next transfer needs the same, and it
 * saves two system calls a fetch.  Not while it connects: libcurl may then close it silently.
 */
static bool
is_kept_watched(const struct pool_socket *s)
{
    return s->wanted == 0 && s->events == EPOLLIN && s->state != NULL;
}

/* It would wait for ever for that socket.  To tell libcurl would end all of its transfers. */
static int
lose(CURL *easy)
{
    struct hop *hop = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &hop);
    if (hop == NULL || hop->fetch == NULL)
        return 0; /* libcurl's own, which nobody waits for */
    failure_no_memory(&hop->fetch->failure);
    hop->events->on_lost(hop->fetch);
    return 0;
}

/* CURLMOPT_SOCKETFUNCTION. */
int
connection_pool_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct connection_pool *p = arg;
    struct pool_socket *s = socket_of(p, fd);

    (void)socket;
    if (s == NULL && what != CURL_POLL_REMOVE && (s = socket_new(p, fd)) == NULL)
        return lose(easy);
    if (s == NULL)
        return 0;
    leave_idle(s);
    s->wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (!is_kept_watched(s) && watch_for(s, s->wanted) != 0)
        return lose(easy);
    if (what == CURL_POLL_REMOVE && s->state == NULL)
        socket_close(s); /* libcurl closes it silently */
    return 0;
}

/* -- idle sockets ----------------------------------------------------------- */

/* For the peer the connection is closed; the sweep lets libcurl close the descriptor. */
static void
retire(struct pool_socket *s)
{
    struct connection_pool *p = s->pool;

    leave_idle(s);
    if (inode_of(s->watch.fd) != s->inode) { /* not that socket any more */
        socket_forget(s);
        return;
    }
    uncount(s);
    watch_for(s, 0);
    s->retired = true;
    list_append(&p->retired, &s->idle_link);
    shutdown(s->watch.fd, SHUT_RDWR);
    connection_sweep_start(&p->sweep);
}

/*
 * Something happens on a socket that libcurl does not wait for.  Under HTTP/2 an origin may send
 * frames at any time, which libcurl reads before it uses the connection again.
 */
static void
on_unasked(struct pool_socket *s, uint32_t events)
{
    char byte;
    ssize_t n = recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return; /* an event from before: its bytes have been read */
    if (!is_idle(s))
        watch_for(s, 0); /* a paused transfer's */
    else if (n > 0 && !s->http1 && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        watch_for(s, EPOLLRDHUP);
    else
        retire(s);
}

static void
on_idle_timeout(struct timer *t)
{
    retire(container_of(t, struct pool_socket, timer));
}

static bool
is_reset(const struct pool_socket *s)
{
    return counter_read(&s->state->resets) != s->resets;
}

/* Past the session's idle_connections, the one that is idle for longest is shut down. */
static void
limit_idle(struct connection_pool *p, const struct pool_socket *newest)
{
    struct pool_socket *oldest = NULL;
    int count = 0;

    if (p->idle_count <= newest->idle_connections)
        return;
    for (struct link *l = p->idle.next; l != &p->idle; l = l->next) {
        struct pool_socket *s = container_of(l, struct pool_socket, idle_link);

        if (s->state != newest->state)
            continue;
        oldest = oldest != NULL ? oldest : s;
        count++;
    }
    if (count > newest->idle_connections)
        retire(oldest);
}

/*
 * Does a transfer use it that libcurl waits for nothing of, as it is paused?  Of HTTP/1, one may
 * have begun, and paused, in the call of libcurl that ended f's.  Of HTTP/2 there may be many.
 */
static bool
has_users(const struct pool_socket *s, const struct curlew_fetch *f, bool http1,
          const struct link *running)
{
    if (http1)
        return s->user != NULL && s->user != f;
    for (const struct link *l = running->next; l != running && s->conn_id != 0; l = l->next)
        if (container_of(l, struct curlew_fetch, link)->hop->conn_id == s->conn_id)
            return true;
    return false;
}

void
connection_pool_mark_idle(struct connection_pool *p, const struct curlew_fetch *f, int fd,
                          bool http1, const struct link *running)
{
    struct pool_socket *s = fd >= 0 ? socket_of(p, fd) : NULL;
    int64_t until;

    if (s == NULL || s->state == NULL || s->wanted != 0 || s->retired ||
        has_users(s, f, http1, running))
        return;
    leave_idle(s);
    s->user = NULL;
    s->http1 = http1;
    until = clock_us() + (int64_t)s->idle_seconds * US_PER_SECOND;
    list_append(&p->idle, &s->idle_link);
    p->idle_count++;
    if (is_reset(s) || s->distrusted) { /* it was busy then */
        retire(s);
        return;
    }
    watch_for(s, EPOLLIN); /* as mostly it is already */
    timer_set(&p->loop->timers, &s->timer, until);
    limit_idle(p, s);
}

void
connection_pool_drop_reset(struct connection_pool *p)
{
    struct link *next;

    for (struct link *l = p->idle.next; l != &p->idle; l = next) {
        struct pool_socket *s = container_of(l, struct pool_socket, idle_link);

        next = l->next;
        if (is_reset(s))
            retire(s);
    }
}

void
connection_pool_drop_idle(struct connection_pool *p)
{
    while (!list_empty(&p->idle))
        retire(container_of(p->idle.next, struct pool_socket, idle_link));
}

bool
connection_pool_take_shortage(struct connection_pool *p)
{
    bool is_short = p->is_short;

    p->is_short = false;
    return is_short;
}

/* -- retired sockets --------------------------------------------------------- */

bool
connection_pool_on_finished(struct connection_pool *p, CURL *easy)
{
    return connection_sweep_finish(&p->sweep, easy, !list_empty(&p->retired));
}
