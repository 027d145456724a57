/* test_fcgi_worker.c - one thread: it accepts connections, serves them, and ends. */

#include "fastcgi/fcgi_worker.h"

#include "support/web_server.h"
#include "util/clock.h"

#include <criterion/criterion.h>
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

TestSuite(fcgi_worker, .init = setup, .fini = teardown, .timeout = 60);

Test(fcgi_worker, when_the_time_of_a_drain_is_over_the_rest_is_cancelled)
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

Test(fcgi_worker, connections_are_counted_while_they_are_open)
{
    int fd[3];

    for (int i = 0; i < 3; i++) {
        fd[i] = web_server_dial(&w);
        web_server_ask(fd[i], "/healthz", "", true);
        web_server_expect(fd[i], "Status: 200 OK");
    }
    cr_assert_eq(counter_read(&w.server->stats.connections), 3);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    while (counter_read(&w.server->stats.connections) > 0)
        usleep(1000);
    cr_assert_eq(counter_read(&w.server->stats.requests), 3);
}

Test(fcgi_worker, a_drain_closes_connections_that_are_idle)
{
    int fd = web_server_dial(&w);

    web_server_ask(fd, "/healthz", "", true);
    web_server_expect(fd, "Status: 200 OK");
    fcgi_server_drain(w.server, 30);
    cr_assert(web_server_was_asked_to_leave(fd));
    cr_assert(web_server_has_ended(fd));
    close(fd);
}
