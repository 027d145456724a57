/* origin.c - a small HTTP/1.1 server on threads of the test's own process. */

#include "support/origin.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX   (1 << 20)
#define PATIENCE_S 30 /* of the await functions; then the test has gone wrong */

/* -- reading ------------------------------------------------------------- */

/* Up to and with the empty line; false: the peer has gone. */
static bool
read_head(struct seen_request *x)
{
    size_t n = 0;

    while (n < HEAD_MAX - 1 && read(x->fd, x->head + n, 1) == 1) {
        n++;
        if (n >= 4 && memcmp(x->head + n - 4, "\r\n\r\n", 4) == 0) {
            x->head[n] = '\0';
            return sscanf(x->head, "%31s %8191s", x->method, x->target) == 2;
        }
    }
    return false;
}

static size_t
announced_length(const struct seen_request *x)
{
    const char *line = strcasestr(x->head, "\r\nContent-Length: ");

    return line != NULL ? strtoul(line + 18, NULL, 10) : 0;
}

static bool
read_body(struct seen_request *x)
{
    size_t all = announced_length(x);

    x->body = calloc(1, all + 1);
    for (x->body_size = 0; x->body_size < all;) {
        ssize_t n = read(x->fd, x->body + x->body_size, all - x->body_size);

        if (n <= 0)
            return false;
        x->body_size += (size_t)n;
    }
    return true;
}

/* -- serving ------------------------------------------------------------- */

static void
change(struct test_origin *o, int *count, int by, int *now)
{
    pthread_mutex_lock(&o->lock);
    *count += by;
    if (now != NULL)
        *now = *count;
    pthread_cond_broadcast(&o->moved);
    pthread_mutex_unlock(&o->lock);
}

struct caller {
    struct test_origin *origin;
    int fd, number;
};

static void *
serve_connection(void *arg)
{
    struct caller *c = arg;
    struct seen_request x = { .origin = c->origin, .fd = c->fd, .connection = c->number };

    free(c);
    x.head = malloc(HEAD_MAX);
    while (!x.close && read_head(&x)) {
        change(x.origin, &x.origin->requests, 1, &x.number);
        if (read_body(&x))
            x.origin->on_request(&x);
        else
            x.close = true;
        free(x.body);
        x.body = NULL;
    }
    free(x.head);
    close(x.fd);
    change(x.origin, &x.origin->open, -1, NULL);
    return NULL;
}

static void *
accept_all(void *arg)
{
    struct test_origin *o = arg;
    int fd;

    while ((fd = accept(o->fd, NULL, NULL)) >= 0) {
        struct caller *c = malloc(sizeof *c);
        pthread_t thread;

        *c = (struct caller){ .origin = o, .fd = fd };
        change(o, &o->open, 1, NULL);
        change(o, &o->connections, 1, &c->number);
        if (pthread_create(&thread, NULL, serve_connection, c) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

int
origin_listen(const char *address, int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, address, &a.sin_addr);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    *port = ntohs(a.sin_port);
    return fd;
}

void
origin_start(struct test_origin *o, const char *address, void (*on_request)(struct seen_request *x))
{
    pthread_t thread;

    *o = (struct test_origin){ .on_request = on_request };
    o->fd = origin_listen(address, &o->port);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->moved, NULL);
    snprintf(o->url, sizeof o->url, "http://%s:%d", address, o->port);
    if (pthread_create(&thread, NULL, accept_all, o) != 0)
        abort();
    pthread_detach(thread);
}

void
origin_deafen(struct test_origin *o)
{
    shutdown(o->fd, SHUT_RDWR);
    close(o->fd);
}

/* -- what a test's on_request() uses ------------------------------------------ */

void
origin_say_bytes(struct seen_request *x, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0 && !x->close) {
        ssize_t sent = send(x->fd, at, n, MSG_NOSIGNAL);

        if (sent <= 0) {
            x->close = true; /* the caller has gone */
            return;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

void
origin_say(struct seen_request *x, const char *format, ...)
{
    char *text;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        abort();
    origin_say_bytes(x, text, (size_t)n);
    free(text);
}

void
origin_reply(struct seen_request *x, int status, const char *fields, const char *body)
{
    origin_say(x, "HTTP/1.1 %d Reason %d\r\nContent-Length: %zu\r\n%s\r\n%s", status, status,
               strlen(body), fields, strcmp(x->method, "HEAD") == 0 ? "" : body);
}

bool
origin_is(const struct seen_request *x, const char *target)
{
    return strcmp(x->target, target) == 0;
}

bool
origin_has(const struct seen_request *x, const char *line)
{
    char wanted[4096];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(x->head, wanted) != NULL;
}

void
origin_hold(struct seen_request *x)
{
    struct test_origin *o = x->origin;

    pthread_mutex_lock(&o->lock);
    o->held++;
    pthread_cond_broadcast(&o->moved);
    while (o->permits == 0)
        pthread_cond_wait(&o->moved, &o->lock);
    o->permits--;
    o->held--;
    pthread_cond_broadcast(&o->moved);
    pthread_mutex_unlock(&o->lock);
}

void
origin_serve_ok(struct seen_request *x)
{
    if (origin_is(x, "/hold"))
        origin_hold(x);
    origin_reply(x, 200, "", "ok");
}

/* -- what a test uses ---------------------------------------------------- */

void
origin_release(struct test_origin *o, int n)
{
    change(o, &o->permits, n, NULL);
}

static void
await(struct test_origin *o, const int *count, int n, const char *what)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&o->lock);
    while (*count != n)
        if (pthread_cond_timedwait(&o->moved, &o->lock, &until) != 0) {
            fprintf(stderr, "origin: %d %s, not %d\n", *count, what, n);
            abort();
        }
    pthread_mutex_unlock(&o->lock);
}

void
origin_await_held(struct test_origin *o, int n)
{
    await(o, &o->held, n, "held");
}

void
origin_await_open(struct test_origin *o, int n)
{
    await(o, &o->open, n, "open");
}

static int
look_at(struct test_origin *o, const int *count)
{
    int n;

    pthread_mutex_lock(&o->lock);
    n = *count;
    pthread_mutex_unlock(&o->lock);
    return n;
}

int
origin_requests(struct test_origin *o)
{
    return look_at(o, &o->requests);
}

int
origin_connections(struct test_origin *o)
{
    return look_at(o, &o->connections);
}
