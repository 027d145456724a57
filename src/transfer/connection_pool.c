/* connection_pool.c - the sockets of one session thread, busy and idle. */

#include "transfer/connection_pool.h"

#include "engine/engine_worker.h"
#include "transfer/pool_socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SIZE 256

void
connection_pool_init(struct connection_pool *p, struct loop *loop, struct engine_stats *stats,
                     CURLM *multi,
                     void (*ready)(struct connection_pool *p, int fd, int curl_events))
{
    *p = (struct connection_pool){ .loop = loop, .stats = stats, .multi = multi, .ready = ready };
    list_init(&p->idle);
}

void
connection_pool_destroy(struct connection_pool *p)
{
    free(p->by_fd);
}

/* -- one socket ---------------------------------------------------------- */

static void
watch_for(struct pool_socket *s, uint32_t events)
{
    struct loop *l = s->pool->loop;

    if (events == s->events)
        return;
    if (events == 0)
        loop_remove(l, &s->watch);
    else if (s->events == 0)
        loop_add(l, &s->watch, events);
    else
        loop_change(l, &s->watch, events);
    s->events = events;
}

static void
socket_ready(struct watch *w, uint32_t events)
{
    struct pool_socket *s = container_of(w, struct pool_socket, watch);
    int what = 0;

    if (s->wanted == 0) { /* idle, and closed by the origin: libcurl will notice when it looks */
        watch_for(s, 0);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        what |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    s->pool->ready(s->pool, w->fd, what);
}

void
pool_uncount(struct pool_socket *s)
{
    if (s->counted)
        counter_add(&s->pool->stats->connections, -1);
    s->counted = false;
}

static int
make_room(struct connection_pool *p, int fd)
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

    if (make_room(p, fd) != 0 || (s = calloc(1, sizeof *s)) == NULL)
        return NULL;
    s->watch = (struct watch){ .fd = fd, .ready = socket_ready };
    s->pool = p;
    list_init(&s->place);
    list_init(&s->birth);
    timer_init(&s->timer, pool_idle_over);
    p->by_fd[fd] = s;
    return s;
}

struct pool_socket *
pool_socket_of(struct connection_pool *p, int fd)
{
    return (size_t)fd < p->size ? p->by_fd[fd] : NULL;
}

static void
socket_free(struct pool_socket *s)
{
    pool_leave_idle(s);
    pool_uncount(s);
    list_remove(&s->birth);
    if (s->pool->by_fd[s->watch.fd] == s)
        s->pool->by_fd[s->watch.fd] = NULL;
    config_snapshot_unref(s->config);
    free(s);
}

static void
socket_close(struct pool_socket *s)
{
    if (s->events != 0)
        loop_remove(s->pool->loop, &s->watch);
    socket_free(s);
}

/* libcurl has closed it without telling: its number may be anybody's. */
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

/* -- what libcurl tells -------------------------------------------------- */

int
connection_pool_on_opened(struct curlew_fetch *f, int fd)
{
    struct connection_pool *p = &((struct engine_worker *)f->home)->pool;
    struct pool_socket *s = pool_socket_of(p, fd);

    if (s != NULL)
        socket_forget(s);
    if ((s = socket_new(p, fd)) == NULL)
        return -1;
    s->inode = inode_of(fd);
    list_append(&f->sockets, &s->birth);
    s->config = config_snapshot_ref(f->config);
    s->session = f->session;
    s->counted = true;
    s->resets = counter_read(&f->session->state->resets);
    counter_add(&p->stats->connections, 1);
    counter_add(&p->stats->connections_opened, 1);
    return 0;
}

void
connection_pool_on_request(struct curlew_fetch *f, uint64_t conn_id)
{
    f->conn_id = conn_id;
    for (struct link *l = f->sockets.next; l != &f->sockets; l = l->next) /* of two, one loses */
        container_of(l, struct pool_socket, birth)->conn_id = conn_id;
}

/* libcurl 7.88 closes a socket that never came to connect with close(), not with our callback. */
void
connection_pool_hop_done(struct curlew_fetch *f)
{
    struct link *l;

    while ((l = list_take(&f->sockets)) != NULL) {
        struct pool_socket *s = container_of(l, struct pool_socket, birth);

        if (inode_of(s->watch.fd) != s->inode)
            socket_forget(s);
    }
}

static int
on_close(void *arg, curl_socket_t fd)
{
    struct connection_pool *p = arg;
    struct pool_socket *s = pool_socket_of(p, fd);

    if (s != NULL)
        socket_close(s);
    return close(fd);
}

void
connection_pool_attach(struct curlew_fetch *f)
{
    curl_easy_setopt(f->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(f->easy, CURLOPT_CLOSESOCKETDATA, &((struct engine_worker *)f->home)->pool);
}

/*
 * Between two transfers a connection stays as it is watched: the next will want the same, and the
 * kernel need not be told twice a fetch.  Not so while it connects: libcurl may then close it
 * without telling.
 */
static bool
stays_watched(const struct pool_socket *s)
{
    return s->wanted == 0 && s->events == EPOLLIN && s->config != NULL;
}

/* CURLMOPT_SOCKETFUNCTION. */
int
connection_pool_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct connection_pool *p = arg;
    struct pool_socket *s = pool_socket_of(p, fd);

    (void)easy;
    (void)socket;
    if (s == NULL && what != CURL_POLL_REMOVE && (s = socket_new(p, fd)) == NULL)
        return -1;
    if (s == NULL)
        return 0;
    pool_leave_idle(s);
    s->wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (!stays_watched(s))
        watch_for(s, s->wanted);
    if (what == CURL_POLL_REMOVE && s->config == NULL)
        socket_close(s); /* libcurl closes it without telling */
    return 0;
}
