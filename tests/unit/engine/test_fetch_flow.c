/* test_fetch_flow.c - the way of a fetch through an engine thread: timeouts, pauses, ends. */

#include "engine/fetch_flow.h"

#include "support/origin.h"
#include "support/runner.h"
#include "util/clock.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE (12 << 20)

static struct test_origin o;
static struct curlew *c;

static void
drip(struct seen_request *x, int bytes, int ms)
{
    origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", bytes);
    for (int i = 0; i < bytes && !x->close; i++) {
        usleep((useconds_t)ms * 1000);
        origin_say(x, "x");
    }
}

static void
serve(struct seen_request *x)
{
    if (origin_is(x, "/hold"))
        origin_hold(x);
    if (origin_is(x, "/silent-body")) {
        origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
        origin_hold(x);
    } else if (origin_is(x, "/drip")) {
        drip(x, 8, 100);
    } else if (origin_is(x, "/large")) {
        char *body = calloc(1, 20001);

        memset(body, 'x', 20000);
        origin_reply(x, 200, "", body);
        free(body);
    } else if (origin_is(x, "/away")) {
        origin_reply(x, 302, "Location: /hold\r\n", "");
    } else {
        origin_reply(x, 200, "", "ok");
    }
}

static void
start_engine(int in_flight, int queue)
{
    struct engine_config s;

    runner_settings(&s);
    s.limits.in_flight = in_flight;
    s.limits.queue = queue;
    c = runner_engine(&s);
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
    start_engine(1000, 1000);
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(fetch_flow, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static void
set_idle(struct curlew_fetch *f, int ms)
{
    f->request.idle_timeout_ms = ms;
    f->request.set |= SET_IDLE_TIMEOUT;
}

/* Ends in between `least` and ten times that, with this code. */
static void
ends_with(struct curlew_fetch *f, const char *code, int least_ms)
{
    int64_t before = clock_us(), took;

    runner_do(c, f);
    took = clock_us() - before;
    cr_assert_str_eq(runner_code(f), code, "%s", curlew_fetch_detail(f));
    cr_assert_geq(took, least_ms * US_PER_MS);
    cr_assert_lt(took, 10 * least_ms * US_PER_MS + 2 * US_PER_SECOND);
    cr_assert_float_eq(curlew_fetch_seconds(f), (double)took / US_PER_SECOND, 1.0);
    curlew_fetch_free(f);
}

/* -- the total timeout -------------------------------------------------- */

Test(fetch_flow, a_fetch_that_takes_too_long_times_out)
{
    struct curlew_fetch *f = to("/hold");

    curlew_fetch_set_timeout(f, 200);
    ends_with(f, "timeout", 200);
    cr_assert_eq(counter_read(&c->stats.in_flight), 0);
}

Test(fetch_flow, the_total_timeout_holds_while_bytes_come)
{
    struct curlew_fetch *f = to("/drip");

    curlew_fetch_set_timeout(f, 300);
    ends_with(f, "timeout", 300);
}

Test(fetch_flow, the_total_timeout_goes_on_over_a_redirect)
{
    struct curlew_fetch *f = to("/away");

    curlew_fetch_set_timeout(f, 300);
    ends_with(f, "timeout", 300);
}

Test(fetch_flow, without_a_total_timeout_a_fetch_may_take_its_time)
{
    struct curlew_fetch *f = to("/drip");

    curlew_fetch_set_timeout(f, 0);
    ends_with(f, "ok", 800);
}

Test(fetch_flow, a_fetch_that_waits_for_its_turn_times_out_too)
{
    struct curlew_fetch *late;
    struct run first;

    curlew_free(c);
    start_engine(1, 10);
    run_start(&first, c, to("/hold"));
    origin_await_held(&o, 1);
    late = to("/late");
    curlew_fetch_set_timeout(late, 200);
    runner_do(c, late);
    cr_assert_str_eq(runner_code(late), "timeout");
    cr_assert_not_null(strstr(curlew_fetch_detail(late), "still in the queue"));
    cr_assert_eq(counter_read(&c->stats.queued), 0);
    curlew_fetch_free(late);
    origin_release(&o, 1);
    run_await(&first);
    cr_assert_str_eq(runner_code(first.fetch), "ok");
    curlew_fetch_free(first.fetch);
}

/* -- the idle timeout --------------------------------------------------- */

Test(fetch_flow, an_origin_that_falls_silent_times_out)
{
    struct curlew_fetch *f = to("/silent-body");

    set_idle(f, 200);
    ends_with(f, "idle_timeout", 200);
}

Test(fetch_flow, an_origin_that_never_answers_is_silent_too)
{
    struct curlew_fetch *f = to("/hold");

    set_idle(f, 200);
    ends_with(f, "idle_timeout", 200);
}

Test(fetch_flow, every_byte_starts_the_silence_anew)
{
    struct curlew_fetch *f = to("/drip");

    set_idle(f, 400);
    ends_with(f, "ok", 800);
}

Test(fetch_flow, waiting_for_a_turn_is_no_silence)
{
    struct run first;
    struct curlew_fetch *f;

    curlew_free(c);
    start_engine(1, 10);
    run_start(&first, c, to("/drip"));
    f = to("/");
    set_idle(f, 200);
    ends_with(f, "ok", 300);
    run_await(&first);
    curlew_fetch_free(first.fetch);
}

/* An origin that takes its time to read: the bytes go one way only. */
static int slow_fd;

static void *
read_slowly(void *arg)
{
    static char bytes[1 << 20];
    int fd = accept(slow_fd, NULL, NULL), size = 65536;
    size_t all = 0;

    (void)arg;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    while (all < LARGE) {
        ssize_t n = read(fd, bytes, sizeof bytes);

        if (n <= 0)
            break;
        all += (size_t)n;
        usleep(20 * (useconds_t)(n / 20000 + 1) * 100);
    }
    if (all >= LARGE)
        send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 40, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

Test(fetch_flow, a_large_body_on_its_way_out_is_no_silence)
{
    struct curlew_fetch *f;
    char *body = calloc(1, LARGE);
    pthread_t thread;
    int port;

    slow_fd = origin_listen("127.0.0.1", &port);
    cr_assert_eq(pthread_create(&thread, NULL, read_slowly, NULL), 0);
    f = runner_fetch("http://127.0.0.1:%d/", port);
    cr_assert_eq(curlew_fetch_set_body(f, body, LARGE, NULL), 0);
    free(body);
    set_idle(f, 300);
    ends_with(f, "ok", 301);
    pthread_join(thread, NULL);
}

/* -- connecting ---------------------------------------------------------- */

/* A listener whose queue is full drops what would connect. */
Test(fetch_flow, a_connection_that_is_not_made_in_time_times_out)
{
    int port, fd = origin_listen("127.0.0.1", &port);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct curlew_fetch *f;

    listen(fd, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 4; i++)
        connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&a, sizeof a);
    f = runner_fetch("http://127.0.0.1:%d/", port);
    f->request.connect_timeout_ms = 300;
    f->request.set |= SET_CONNECT_TIMEOUT;
    ends_with(f, "connect_timeout", 300);
}

Test(fetch_flow, the_connect_timeout_ends_with_the_connection)
{
    struct curlew_fetch *f = to("/drip");

    f->request.connect_timeout_ms = 300;
    f->request.set |= SET_CONNECT_TIMEOUT;
    ends_with(f, "ok", 800);
}

/* -- pauses -------------------------------------------------------------- */

Test(fetch_flow, a_body_comes_no_faster_than_asked)
{
    struct curlew_fetch *f = to("/large");

    f->request.max_recv_speed = 20000;
    f->request.set |= SET_MAX_RECV_SPEED;
    ends_with(f, "ok", 800);
}

Test(fetch_flow, a_pause_of_our_own_is_no_silence_of_the_origin)
{
    struct curlew_fetch *f = to("/large");

    f->request.max_recv_speed = 10000;
    f->request.set |= SET_MAX_RECV_SPEED;
    set_idle(f, 50); /* each pause is longer */
    ends_with(f, "ok", 1500);
}

Test(fetch_flow, a_paused_fetch_can_time_out_and_be_cancelled)
{
    struct curlew_fetch *f = to("/large");
    struct run r;

    f->request.max_recv_speed = 100;
    f->request.set |= SET_MAX_RECV_SPEED;
    curlew_fetch_set_timeout(f, 300);
    ends_with(f, "timeout", 300);

    f = to("/large");
    f->request.max_recv_speed = 100;
    f->request.set |= SET_MAX_RECV_SPEED;
    run_start(&r, c, f);
    usleep(200000);
    curlew_cancel(f);
    run_await(&r);
    cr_assert_str_eq(runner_code(f), "cancelled");
    curlew_fetch_free(f);
}
