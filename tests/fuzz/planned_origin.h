/*
 * planned_origin.h - an HTTP server on loopback that follows a plan: /N is its N-th response.
 *
 * /fixed is always the same true response, and so is every path of an origin without a plan. One
 * thread serves one connection.
 */
#ifndef FUZZ_PLANNED_ORIGIN_H
#define FUZZ_PLANNED_ORIGIN_H

#include "origin_plan.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIXED_BODY     "the fixed response"
#define FIXED_RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" FIXED_BODY
#define REQUEST_MAX    16384

struct planned_origin {
    int fd;
    char url[64];
    pthread_mutex_t lock;
    const struct origin_plan *plan; /* under the lock; NULL: every path is /fixed */
    bool saw_cookie;                /* under the lock: a request had a Cookie or an Authorization */
};

struct planned_connection {
    struct planned_origin *origin;
    int fd;
};

/* Up to the empty line; false: the client has gone, or it is too long. */
static inline bool
read_request(int fd, char head[REQUEST_MAX])
{
    size_t n = 0;

    while (n < REQUEST_MAX - 1 && read(fd, head + n, 1) == 1) {
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

/* Writes in pieces; the client may be gone. */
static inline void
write_pieces(int fd, const struct buffer *bytes, size_t piece)
{
    for (size_t at = 0; at < bytes->len; at += piece) {
        size_t n = bytes->len - at < piece ? bytes->len - at : piece;

        if (send(fd, bytes->data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            return;
    }
}

/* A copy of the response to the request; the plan may change while it is written. */
static inline struct planned_response
find_response(struct planned_origin *o, const char *head)
{
    const char *path = strchr(head, ' ');
    size_t number = path != NULL && path[1] == '/' ? (size_t)(path[2] - '0') : 0;
    struct planned_response r = { .piece = 4096, .keep = true };

    buffer_init(&r.bytes, SIZE_MAX / 2);
    pthread_mutex_lock(&o->lock);
    if (strcasestr(head, "\r\nCookie:") != NULL || strcasestr(head, "\r\nAuthorization:") != NULL)
        o->saw_cookie = true;
    if (o->plan != NULL && number < PLAN_RESPONSES) {
        const struct planned_response *planned = &o->plan->responses[number];

        r.piece = planned->piece;
        r.keep = planned->keep;
        r.reset = planned->reset;
        buffer_add(&r.bytes, planned->bytes.data, planned->bytes.len);
    } else {
        buffer_adds(&r.bytes, FIXED_RESPONSE);
    }
    pthread_mutex_unlock(&o->lock);
    return r;
}

/* The client reads all that was sent before it sees the end, unless it is a reset. */
static inline void
end_connection(int fd, bool reset)
{
    const struct linger at_once = { .l_onoff = 1 };
    char rest[4096];

    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    else if (shutdown(fd, SHUT_WR) == 0)
        while (read(fd, rest, sizeof rest) > 0)
            ;
    close(fd);
}

static inline void *
serve_planned(void *arg)
{
    struct planned_connection c = *(struct planned_connection *)arg;
    char head[REQUEST_MAX];
    bool reset = false;

    free(arg);
    while (read_request(c.fd, head)) {
        struct planned_response r = find_response(c.origin, head);
        bool keep = r.keep;

        write_pieces(c.fd, &r.bytes, r.piece);
        buffer_free(&r.bytes);
        reset = r.reset;
        if (!keep)
            break;
    }
    end_connection(c.fd, reset);
    return NULL;
}

static inline void *
accept_planned(void *arg)
{
    struct planned_origin *o = arg;
    const int one = 1;
    int fd;

    while ((fd = accept(o->fd, NULL, NULL)) >= 0) {
        struct planned_connection *c = malloc(sizeof *c);
        pthread_t thread;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        *c = (struct planned_connection){ o, fd };
        if (pthread_create(&thread, NULL, serve_planned, c) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static inline void
planned_origin_start(struct planned_origin *o, const char *address)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;
    pthread_t thread;

    *o = (struct planned_origin){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    pthread_mutex_init(&o->lock, NULL);
    inet_pton(AF_INET, address, &a.sin_addr);
    if (bind(o->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(o->fd, 128) != 0 ||
        getsockname(o->fd, (struct sockaddr *)&a, &n) != 0 ||
        pthread_create(&thread, NULL, accept_planned, o) != 0)
        abort();
    pthread_detach(thread);
    snprintf(o->url, sizeof o->url, "http://%s:%d", address, ntohs(a.sin_port));
}

static inline void
planned_origin_follow(struct planned_origin *o, const struct origin_plan *plan)
{
    pthread_mutex_lock(&o->lock);
    o->plan = plan;
    pthread_mutex_unlock(&o->lock);
}

#endif
