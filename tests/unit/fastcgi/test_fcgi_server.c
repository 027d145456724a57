/* test_fcgi_server.c - listeners, responders and connections, as a web server meets them. */

#include "support/web_server.h"
#include "util/clock.h"

TestSuite(server, .init = setup, .fini = teardown, .timeout = 60);

/* -- requests ------------------------------------------------------------ */

Test(server, many_requests_on_one_connection)
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

Test(server, requests_in_one_packet_are_all_answered)
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

Test(server, an_empty_method_is_refused_and_hangs_nobody)
{
    struct buffer b;
    int fd = dial();

    buffer_init(&b, 10000);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "");
    param(&b, 1, "PATH_INFO", "/healthz");
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    send_all(fd, &b);
    answers_with(fd, "Status: 405");
    close(fd);
}

Test(server, a_caller_that_leaves_cancels_its_fetch)
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

/* -- the end ------------------------------------------------------------- */

Test(server, a_drain_finishes_what_is_in_flight)
{
    int fd = dial();

    ask_fetch(fd, "/hold", true);
    origin_await_held(&o, 1);
    fcgi_server_drain(server, 10);
    usleep(50000);
    cr_assert_eq(access(path, F_OK), -1, "nobody else gets in");
    origin_release(&o, 1);
    answers_with(fd, "\"body\":\"ok\"");
    cr_assert(has_ended(fd));
    close(fd);
}

Test(server, when_the_time_of_a_drain_is_over_the_rest_is_cancelled)
{
    int64_t before = clock_us();
    int fd = dial();

    ask_fetch(fd, "/hold", true);
    origin_await_held(&o, 1);
    fcgi_server_drain(server, 1);
    cr_assert(has_ended(fd));
    cr_assert_geq(clock_us() - before, 900 * US_PER_MS);
    cr_assert_lt(clock_us() - before, 10 * US_PER_SECOND);
    origin_release(&o, 1);
    close(fd);
}
