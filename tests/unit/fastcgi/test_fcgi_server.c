/* test_fcgi_server.c - listeners, responders and connections, as a web server meets them. */

#include "fastcgi/fcgi_server.h"

#include "support/fcgi_records.h"
#include "support/web_server.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct web_server w;

static void
setup(void)
{
    web_server_start(&w);
}

static void
teardown(void)
{
    web_server_stop(&w);
}

TestSuite(fcgi_server, .init = setup, .fini = teardown, .timeout = 60);

/* -- requests ------------------------------------------------------------ */

Test(fcgi_server, many_requests_on_one_connection)
{
    int fd = web_server_dial(&w);

    for (int i = 0; i < 50; i++) {
        web_server_ask(fd, "/healthz", "", true);
        web_server_expect(fd, "Status: 200 OK");
        web_server_ask_fetch(&w, fd, "/", true);
        web_server_expect(fd, "\"body\":\"ok\"");
    }
    web_server_ask(fd, "/healthz", "", false);
    web_server_expect(fd, "Status: 200 OK");
    cr_assert(web_server_has_ended(fd));
    close(fd);
}

Test(fcgi_server, requests_in_one_packet_are_all_answered)
{
    int fd = web_server_dial(&w);

    /* Written before the answers are read: each but the first waits in the socket. */
    web_server_ask_fetch(&w, fd, "/", true);
    web_server_expect(fd, "\"body\":\"ok\"");
    for (int i = 0; i < 3; i++)
        web_server_ask(fd, "/healthz", "", true);
    for (int i = 0; i < 3; i++)
        web_server_expect(fd, "Status: 200 OK");
    close(fd);
}

Test(fcgi_server, an_empty_method_is_refused_and_hangs_nobody)
{
    struct buffer b;
    int fd = web_server_dial(&w);

    buffer_init(&b, 10000);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "");
    param(&b, 1, "PATH_INFO", "/healthz");
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
    web_server_expect(fd, "Status: 405");
    close(fd);
}

Test(fcgi_server, a_caller_that_leaves_cancels_its_fetch)
{
    int fd = web_server_dial(&w);

    web_server_ask_fetch(&w, fd, "/hold", true);
    origin_await_held(&w.origin, 1);
    close(fd);
    while (counter_read(&w.engine->stats.in_flight) > 0)
        usleep(1000);
    origin_release(&w.origin, 1);
    cr_assert_eq(counter_read(&w.engine->stats.in_flight), 0);
}

/* -- the end ------------------------------------------------------------- */

Test(fcgi_server, a_drain_finishes_what_is_in_flight)
{
    int fd = web_server_dial(&w);

    web_server_ask_fetch(&w, fd, "/hold", true);
    origin_await_held(&w.origin, 1);
    fcgi_server_drain(w.server, 10);
    usleep(50000);
    cr_assert_eq(access(w.path, F_OK), -1, "nobody else gets in");
    origin_release(&w.origin, 1);
    web_server_expect(fd, "\"body\":\"ok\"");
    cr_assert(web_server_has_ended(fd));
    close(fd);
}

Test(fcgi_server, when_the_time_of_a_drain_is_over_the_rest_is_cancelled)
{
    int64_t before = clock_us();
    int fd = web_server_dial(&w);

    web_server_ask_fetch(&w, fd, "/hold", true);
    origin_await_held(&w.origin, 1);
    fcgi_server_drain(w.server, 1);
    cr_assert(web_server_has_ended(fd));
    cr_assert_geq(clock_us() - before, 900 * US_PER_MS);
    cr_assert_lt(clock_us() - before, 10 * US_PER_SECOND);
    origin_release(&w.origin, 1);
    close(fd);
}
