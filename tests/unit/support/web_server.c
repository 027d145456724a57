/* web_server.c - a FastCGI server that runs, and the web server's side of its connections. */

#include "support/web_server.h"

#include "fastcgi/libfcgi_codec.h"
#include "routes/handoff_store.h"
#include "routes/router.h"
#include "support/fcgi_records.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
serve(struct seen_request *x)
{
    char *large;

    if (origin_is(x, "/hold"))
        origin_hold(x);
    if (!origin_is(x, "/large")) {
        origin_reply(x, 200, "", "ok");
        return;
    }
    large = malloc(WEB_SERVER_LARGE + 1);
    for (int i = 0; i < WEB_SERVER_LARGE; i++)
        large[i] = (char)('a' + i % 23);
    large[WEB_SERVER_LARGE] = '\0';
    origin_reply(x, 200, "", large);
    free(large);
}

void
web_server_start(struct web_server *w)
{
    const struct fcgi_server_config config = {
        .workers = 2,
        .limits = { .request_bytes = 1000, .bodies_bytes = 5000 },
        .handler = router_handle,
        .handler_data = &w->routes,
    };
    struct failure err = { 0 };
    char address[80];

    *w = (struct web_server){ .folder = "/tmp/curlew-gateway-XXXXXX" };
    w->routes.auth = &w->auth;
    signal(SIGPIPE, SIG_IGN);
    origin_start(&w->origin, "127.0.0.1", serve);
    cr_assert_not_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/socket", w->folder);
    snprintf(address, sizeof address, "unix:%s", w->path);
    cr_assert_eq(libfcgi_codec_start(), 0);
    auth_init(&w->auth);
    cross_site_init(&w->cross_site);
    w->routes.cross_site = &w->cross_site;
    w->routes.handoff_store = handoff_store_new();
    w->engine = runner_default_engine();
    cr_assert_eq(listener_list_open(&w->listeners, address, 0600, NULL, &err), 0, "%s", err.detail);
    w->server = fcgi_server_new(w->engine, &w->listeners, &config, &err);
    cr_assert_not_null(w->server, "%s", err.detail);
}

void
web_server_stop(struct web_server *w)
{
    fcgi_server_drain(w->server, 0);
    fcgi_server_join(w->server);
    curlew_free(w->engine);
    fcgi_server_free(w->server);
    handoff_store_free(w->routes.handoff_store);
    auth_destroy(&w->auth);
    cross_site_destroy(&w->cross_site);
    rmdir(w->folder);
    runner_check_leaks();
}

/* -- its side of a connection --------------------------------------------- */

int
web_server_dial(const struct web_server *w)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", w->path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

void
web_server_send(int fd, struct buffer *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = send(fd, b->data + at, b->len - at, MSG_NOSIGNAL);

        if (n < 0)
            break;
        at += (size_t)n;
    }
    buffer_free(b);
}

void
web_server_ask(int fd, const char *target, const char *query, bool keep)
{
    struct buffer b;

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, keep);
    param(&b, 1, "REQUEST_METHOD", "GET");
    param(&b, 1, "PATH_INFO", target);
    param(&b, 1, "QUERY_STRING", query);
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
}

void
web_server_ask_fetch(const struct web_server *w, int fd, const char *what, bool keep)
{
    char query[128];

    snprintf(query, sizeof query, "url=%s%s", w->origin.url, what);
    web_server_ask(fd, "/v1/fetch", query, keep);
}

static bool
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

bool
web_server_read(int fd, struct buffer *text, int pause_us)
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

void
web_server_expect(int fd, const char *status)
{
    struct buffer text;

    cr_assert(web_server_read(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, status), "%s", text.data);
    buffer_free(&text);
}

bool
web_server_has_ended(int fd)
{
    char byte;

    return read(fd, &byte, 1) <= 0;
}

bool
web_server_was_asked_to_leave(int fd)
{
    static const char hint[8] = { FCGI_VERSION_1, FCGI_STDERR, 0, 1 };
    char bytes[sizeof hint];

    return recv(fd, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes &&
           memcmp(bytes, hint, sizeof hint) == 0;
}
