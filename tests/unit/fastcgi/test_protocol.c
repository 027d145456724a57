/* test_protocol.c - what happens on a connection, as a web server meets it. */

#include "fastcgi/protocol.h"

#include "support/fcgi_records.h"
#include "support/web_server.h"

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

TestSuite(protocol, .init = setup, .fini = teardown, .timeout = 60);

Test(protocol, many_requests_on_one_connection)
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

Test(protocol, requests_in_one_packet_are_all_answered)
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

Test(protocol, an_empty_method_is_refused_and_hangs_nobody)
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

Test(protocol, a_caller_that_leaves_cancels_its_fetch)
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

/* It asks and asks, and reads no answer: it must not fill the memory. */
Test(protocol, a_peer_that_asks_and_never_reads_is_cut_off)
{
    struct buffer b;
    int fd = web_server_dial(&w);

    for (int round = 0; round < 1000; round++) {
        buffer_init(&b, 1 << 20);
        for (int i = 0; i < 1000; i++)
            record(&b, FCGI_GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
        web_server_send(fd, &b);
    }
    for (int i = 0; i < 1000 && counter_read(&w.server->stats.connections) > 0; i++)
        usleep(1000);
    cr_assert_eq(counter_read(&w.server->stats.connections), 0);
    close(fd);
    fd = web_server_dial(&w);
    web_server_ask(fd, "/healthz", "", true);
    web_server_expect(fd, "Status: 200 OK");
    close(fd);
}
