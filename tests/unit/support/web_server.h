/*
 * web_server.h - what the tests of the FastCGI server share: one that runs, and the web server's
 * side of its connections.
 */
#ifndef SUPPORT_WEB_SERVER_H
#define SUPPORT_WEB_SERVER_H

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"
#include "routes/router.h"
#include "support/fcgi_records.h"
#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <fcgios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LARGE (12 << 20)

static struct test_origin o;
static struct curlew *engine;
static struct listener_list listeners;
static struct auth auth;
static struct route_context routes = { .auth = &auth };
static struct fcgi_server *server;
static struct failure err;
static char folder[] = "/tmp/curlew-gateway-XXXXXX";
static char path[64];

static inline void
serve(struct seen_request *x)
{
    char *large;

    if (origin_is(x, "/hold"))
        origin_hold(x);
    if (!origin_is(x, "/large")) {
        origin_reply(x, 200, "", "ok");
        return;
    }
    large = malloc(LARGE + 1);
    for (int i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 23);
    large[LARGE] = '\0';
    origin_reply(x, 200, "", large);
    free(large);
}

static inline void
setup(void)
{
    const struct fcgi_server_config config = {
        .workers = 2,
        .limits = { .request_bytes = 1000, .bodies_bytes = 5000 },
        .handler = router_handle,
        .handler_data = &routes,
    };
    char address[80];

    signal(SIGPIPE, SIG_IGN);
    origin_start(&o, "127.0.0.1", serve);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    cr_assert_eq(libfcgi_codec_start(), 0);
    auth_init(&auth);
    routes.handoff_store = handoff_store_new();
    engine = runner_default_engine();
    cr_assert_eq(listener_list_open(&listeners, address, 0600, NULL, &err), 0, "%s", err.detail);
    server = fcgi_server_new(engine, &listeners, &config, &err);
    cr_assert_not_null(server, "%s", err.detail);
}

static inline void
teardown(void)
{
    fcgi_server_drain(server, 0);
    fcgi_server_join(server);
    curlew_free(engine);
    fcgi_server_free(server);
    handoff_store_free(routes.handoff_store);
    auth_destroy(&auth);
    rmdir(folder);
    OS_LibShutdown();
    runner_check_leaks();
}

/* -- a web server -------------------------------------------------------- */

static inline int
dial(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline void
send_all(int fd, struct buffer *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = send(fd, b->data + at, b->len - at, MSG_NOSIGNAL);

        if (n < 0)
            break;
        at += (size_t)n;
    }
    buffer_free(b);
}

static inline void
ask(int fd, const char *target, const char *query, bool keep)
{
    struct buffer b;

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, keep);
    param(&b, 1, "REQUEST_METHOD", "GET");
    param(&b, 1, "PATH_INFO", target);
    param(&b, 1, "QUERY_STRING", query);
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    send_all(fd, &b);
}

static inline void
ask_fetch(int fd, const char *what, bool keep)
{
    char query[128];

    snprintf(query, sizeof query, "url=%s%s", o.url, what);
    ask(fd, "/v1/fetch", query, keep);
}

static inline bool
read_exactly(int fd, void *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, (char *)to + at, n - at);

        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

/* STDOUT up to the end record; false: the connection ended before. */
static inline bool
read_answer(int fd, struct buffer *text, int pause_us)
{
    unsigned char head[8], content[65535 + 255];

    buffer_init(text, 1 << 26);
    while (read_exactly(fd, head, 8)) {
        size_t n = (size_t)head[4] << 8 | head[5];

        if (!read_exactly(fd, content, n + head[6]))
            return false;
        if (head[1] == FCGI_END_REQUEST)
            return true;
        if (head[1] == FCGI_STDOUT)
            buffer_add(text, content, n);
        if (pause_us > 0)
            usleep((useconds_t)pause_us);
    }
    return false;
}

static inline void
answers_with(int fd, const char *status)
{
    struct buffer text;

    cr_assert(read_answer(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, status), "%s", text.data);
    buffer_free(&text);
}

static inline bool
has_ended(int fd)
{
    char byte;

    return read(fd, &byte, 1) <= 0;
}

#endif
