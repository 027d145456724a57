/*
 * origin.h - a small HTTP/1.1 server on threads of the test's own process, which says what the
 * test tells it to.
 *
 * One thread a connection.  The test's `serve` is called for each request, on
 * its connection's thread, and writes the answer as it likes, byte by byte.
 */
#ifndef SUPPORT_ORIGIN_H
#define SUPPORT_ORIGIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct seen_request;

struct test_origin {
    int fd, port;
    char url[64]; /* http://127.0.0.1:PORT, without a slash at the end */
    void (*on_request)(struct seen_request *x);
    void *data; /* the test's; set after origin_start() */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int connections, open, requests; /* accepted, of these still open, heads read */
    int held, permits;               /* exchanges in origin_hold(), and how many may leave it */
};

struct seen_request {
    struct test_origin *origin;
    int fd, number, connection; /* the request's and the connection's, from 1 */
    char method[32], target[8192];
    char *head; /* of the request, with the empty line; a string */
    char *body;
    size_t body_size;
    bool close; /* after serve() */
};

int origin_listen(const char *address, int *port); /* a listening socket on a free port */
void origin_start(struct test_origin *o, const char *address,
                  void (*on_request)(struct seen_request *x));
/* Says ok; /hold does so once it is released. */
void origin_serve_ok(struct seen_request *x);
void origin_deafen(struct test_origin *o); /* its port is closed to new connections */

void origin_say(struct seen_request *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void origin_say_bytes(struct seen_request *x, const void *bytes, size_t n);
/* A whole answer; `fields` are header lines, each with its CRLF. */
void origin_reply(struct seen_request *x, int status, const char *fields, const char *body);
bool origin_is(const struct seen_request *x, const char *target);
bool origin_has(const struct seen_request *x, const char *line); /* a header line, "Name: value" */
void origin_hold(struct seen_request *x);                        /* until origin_release() */

void origin_release(struct test_origin *o, int n);
void origin_await_held(struct test_origin *o, int n);
void origin_await_open(struct test_origin *o, int n); /* until that many connections are open */
int origin_requests(struct test_origin *o);
int origin_connections(struct test_origin *o);

#endif
