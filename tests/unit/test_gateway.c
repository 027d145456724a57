/* test_gateway.c - listeners, responders and connections, as a web server meets them. */

#include "gateway/gateway.h"

#include "base/clock.h"
#include "gateway/fastcgi.h"
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

static struct origin o;
static struct curlew *engine;
static struct listeners listeners;
static struct auth auth;
static struct gateway *gateway;
static struct failure why;
static char folder[] = "/tmp/curlew-gateway-XXXXXX";
static char path[64];

static void
serve(struct exchange *x)
{
    char *large;

    if (exchange_is(x, "/hold"))
        exchange_hold(x);
    if (!exchange_is(x, "/large")) {
        exchange_reply(x, 200, "", "ok");
        return;
    }
    large = malloc(LARGE + 1);
    for (int i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 23);
    large[LARGE] = '\0';
    exchange_reply(x, 200, "", large);
    free(large);
}

static void
setup(void)
{
    const struct gateway_settings s = { .request_bytes = 1000 };
    char address[80];

    signal(SIGPIPE, SIG_IGN);
    origin_start(&o, "127.0.0.1", serve);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    cr_assert_eq(fastcgi_start(), 0);
    auth_init(&auth);
    engine = runner_default_engine();
    cr_assert_eq(listeners_open(&listeners, address, 0600, NULL, &why), 0, "%s", why.detail);
    gateway = gateway_new(engine, &listeners, &auth, &s, 2, &why);
    cr_assert_not_null(gateway, "%s", why.detail);
}

static void
teardown(void)
{
    gateway_drain(gateway, 0);
    gateway_free(gateway);
    curlew_free(engine);
    auth_destroy(&auth);
    rmdir(folder);
    OS_LibShutdown();
    runner_check_leaks();
}

TestSuite(gateway, .init = setup, .fini = teardown, .timeout = 60);

/* -- a web server -------------------------------------------------------- */

static int
dial(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void
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

static void
ask(int fd, const char *target, const char *query, bool keep)
{
    struct buffer b;

    buffer_init(&b, 1 << 20);
    begin(&b, 1, RESPONDER, keep);
    param(&b, 1, "REQUEST_METHOD", "GET");
    param(&b, 1, "PATH_INFO", target);
    param(&b, 1, "QUERY_STRING", query);
    end_of(&b, PARAMS, 1);
    end_of(&b, STDIN, 1);
    send_all(fd, &b);
}

static void
ask_fetch(int fd, const char *what, bool keep)
{
    char query[128];

    snprintf(query, sizeof query, "url=%s%s", o.url, what);
    ask(fd, "/v1/fetch", query, keep);
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

/* STDOUT up to the end record; false: the connection ended before. */
static bool
read_answer(int fd, struct buffer *text, int pause_us)
{
    unsigned char head[8], content[65535 + 255];

    buffer_init(text, 1 << 26);
    while (read_exactly(fd, head, 8)) {
        size_t n = (size_t)head[4] << 8 | head[5];

        if (!read_exactly(fd, content, n + head[6]))
            return false;
        if (head[1] == END)
            return true;
        if (head[1] == STDOUT)
            buffer_add(text, content, n);
        if (pause_us > 0)
            usleep((useconds_t)pause_us);
    }
    return false;
}

static void
answers_with(int fd, const char *status)
{
    struct buffer text;

    cr_assert(read_answer(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, status), "%s", text.data);
    buffer_free(&text);
}

static bool
has_ended(int fd)
{
    char byte;

    return read(fd, &byte, 1) <= 0;
}

/* -- requests ------------------------------------------------------------ */

Test(gateway, many_requests_on_one_connection)
{
    int fd = dial();

    for (int i = 0; i < 50; i++) {
        ask(fd, "/healthz", "", true);
        answers_with(fd, "Status: 200 OK");
        ask_fetch(fd, "/", true);
        answers_with(fd, "\"body\":\"ok\"");
    }
    ask(fd, "/healthz", "", false);
    answers_with(fd, "Status: 200 OK");
    cr_assert(has_ended(fd));
    close(fd);
}

Test(gateway, requests_in_one_packet_are_all_answered)
{
    int fd = dial();

    /* Written before the answers are read: each but the first waits in the socket. */
    ask_fetch(fd, "/", true);
    answers_with(fd, "\"body\":\"ok\"");
    for (int i = 0; i < 3; i++)
        ask(fd, "/healthz", "", true);
    for (int i = 0; i < 3; i++)
        answers_with(fd, "Status: 200 OK");
    close(fd);
}

Test(gateway, an_empty_method_is_refused_and_hangs_nobody)
{
    struct buffer b;
    int fd = dial();

    buffer_init(&b, 10000);
    begin(&b, 1, RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "");
    param(&b, 1, "PATH_INFO", "/healthz");
    end_of(&b, PARAMS, 1);
    end_of(&b, STDIN, 1);
    send_all(fd, &b);
    answers_with(fd, "Status: 405");
    close(fd);
}

Test(gateway, a_caller_that_leaves_cancels_its_fetch)
{
    int fd = dial();

    ask_fetch(fd, "/hold", true);
    origin_await_held(&o, 1);
    close(fd);
    while (counter_read(&engine->stats.in_flight) > 0)
        usleep(1000);
    origin_release(&o, 1);
    cr_assert_eq(counter_read(&engine->stats.in_flight), 0);
}

/* -- peers that read slowly, or not at all ------------------------------- */

Test(gateway, a_slow_reader_gets_a_large_answer_whole)
{
    struct buffer text;
    const char *body;
    int fd = dial(), size = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    ask_fetch(fd, "/large", true);
    usleep(300000);
    cr_assert(read_answer(fd, &text, 100));
    body = strstr(text.data, "\"body\":\"") + 8;
    for (int i = 0; i < LARGE; i++)
        cr_assert_eq(body[i], (char)('a' + i % 23), "byte %d", i);
    buffer_free(&text);
    ask(fd, "/healthz", "", true);
    answers_with(fd, "Status: 200 OK");
    close(fd);
}

/* It asks and asks, and reads no answer: it must not fill the memory. */
Test(gateway, a_peer_that_asks_and_never_reads_is_cut_off)
{
    struct buffer b;
    int fd = dial();

    for (int round = 0; round < 1000; round++) {
        buffer_init(&b, 1 << 20);
        for (int i = 0; i < 1000; i++)
            record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
        send_all(fd, &b);
    }
    for (int i = 0; i < 1000 && counter_read(&gateway->stats.connections) > 0; i++)
        usleep(1000);
    cr_assert_eq(counter_read(&gateway->stats.connections), 0);
    close(fd);
    fd = dial();
    ask(fd, "/healthz", "", true);
    answers_with(fd, "Status: 200 OK");
    close(fd);
}

/* -- bodies -------------------------------------------------------------- */

static void
post(int fd, const char *length, size_t sent)
{
    struct buffer b;
    char *text = calloc(1, sent + 1);

    memset(text, ' ', sent);
    buffer_init(&b, 1 << 20);
    begin(&b, 1, RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_LENGTH", length);
    end_of(&b, PARAMS, 1);
    body(&b, 1, text);
    end_of(&b, STDIN, 1);
    send_all(fd, &b);
    free(text);
}

Test(gateway, a_body_of_the_limit_is_read_and_of_one_byte_more_refused)
{
    int fd = dial();

    post(fd, "1000", 1000);
    answers_with(fd, "Status: 400"); /* blanks are no request object */
    post(fd, "1001", 1001);
    answers_with(fd, "Status: 413");
    post(fd, "", 1001);
    answers_with(fd, "Status: 413");
    post(fd, "1000", 999);
    answers_with(fd, "CONTENT_LENGTH");
    post(fd, "-1", 10);
    answers_with(fd, "CONTENT_LENGTH");
    post(fd, "99999999999999999999", 10);
    answers_with(fd, "Status: 413");
    close(fd);
}

/* After the end of a body too large, more of it: the answer must not be given twice. */
Test(gateway, a_second_end_of_a_body_too_large_ends_the_connection)
{
    struct buffer b, text;
    int fd = dial();

    buffer_init(&b, 1 << 20);
    begin(&b, 1, RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_LENGTH", "2000");
    end_of(&b, PARAMS, 1);
    end_of(&b, STDIN, 1);
    end_of(&b, STDIN, 1);
    send_all(fd, &b);
    cr_assert(read_answer(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, "Status: 413"));
    cr_assert_null(strstr(strstr(text.data, "Status: 413") + 1, "Status:"));
    buffer_free(&text);
    close(fd);
}

/* -- the end ------------------------------------------------------------- */

Test(gateway, a_drain_finishes_what_is_in_flight)
{
    int fd = dial();

    ask_fetch(fd, "/hold", true);
    origin_await_held(&o, 1);
    gateway_drain(gateway, 10);
    usleep(50000);
    cr_assert_eq(access(path, F_OK), -1, "nobody else gets in");
    origin_release(&o, 1);
    answers_with(fd, "\"body\":\"ok\"");
    cr_assert(has_ended(fd));
    close(fd);
}

Test(gateway, when_the_time_of_a_drain_is_over_the_rest_is_cancelled)
{
    int64_t before = clock_us();
    int fd = dial();

    ask_fetch(fd, "/hold", true);
    origin_await_held(&o, 1);
    gateway_drain(gateway, 1);
    cr_assert(has_ended(fd));
    cr_assert_geq(clock_us() - before, 900 * US_PER_MS);
    cr_assert_lt(clock_us() - before, 10 * US_PER_SECOND);
    origin_release(&o, 1);
    close(fd);
}
