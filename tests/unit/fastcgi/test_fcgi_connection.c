/* test_fcgi_connection.c - one connection of a web server: its states, timeout, accounts. */

#include "fastcgi/fcgi_connection.h"

#include "fastcgi/libfcgi_codec.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fcgi_server server;
static struct fcgi_worker worker;
static struct fcgi_connection *conn;
static int peer;

static void
on_event(struct watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
}

static void
on_timeout(struct timer *timer)
{
    (void)timer;
}

static void
setup(void)
{
    int pair[2];

    cr_assert_eq(libfcgi_codec_start(), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    peer = pair[1];
    worker.server = &server;
    cr_assert_eq(loop_init(&worker.loop), 0);
    list_init(&worker.connections);
    list_init(&worker.closing);
    list_init(&worker.ready);
    list_init(&worker.idle);
    conn = fcgi_connection_new(&worker, on_event, on_timeout);
    cr_assert_not_null(conn);
    cr_assert_eq(fcgi_connection_open(conn, pair[0]), 0);
}

static void
teardown(void)
{
    fcgi_connection_close(conn);
    fcgi_connection_free(conn);
    close(peer);
    loop_destroy(&worker.loop);
    runner_check_leaks();
}

TestSuite(fcgi_connection, .init = setup, .fini = teardown, .timeout = 20);

Test(fcgi_connection, a_request_is_read_waited_for_and_answered)
{
    static const enum connection_state way[] = { CONN_WAITING, CONN_WRITING, CONN_READING,
                                                 CONN_WRITING, CONN_LINGERING };

    cr_assert_eq(conn->state, CONN_READING);
    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        fcgi_connection_set_state(conn, way[i]);
        cr_assert_eq(conn->state, way[i]);
    }
}

Test(fcgi_connection, one_that_lingers_reads_no_further_request, .signal = SIGABRT)
{
    fcgi_connection_set_state(conn, CONN_WRITING);
    fcgi_connection_set_state(conn, CONN_LINGERING);
    fcgi_connection_set_state(conn, CONN_READING);
}

Test(fcgi_connection, a_request_counts_as_busy_and_gives_its_bytes_back)
{
    fcgi_connection_begin_request(conn);
    counter_add(&server.stats.bodies, 10);
    conn->body_bytes = 10;
    cr_assert_eq(server.busy, 1);
    cr_assert_eq(counter_read(&server.stats.requests), 1);
    fcgi_connection_end_request(conn);
    fcgi_connection_end_request(conn);
    cr_assert_eq(server.busy, 0, "ended once");
    cr_assert_eq(counter_read(&server.stats.bodies), 0);
}

Test(fcgi_connection, its_timeout_is_one_until_it_is_cleared)
{
    cr_assert_not(fcgi_connection_has_timeout(conn));
    fcgi_connection_set_timeout(conn, 5);
    cr_assert(fcgi_connection_has_timeout(conn));
    cr_assert_eq(timer_heap_next(&worker.loop.timers), worker.loop.now_us + 5000000);
    fcgi_connection_clear_timeout(conn);
    cr_assert_not(fcgi_connection_has_timeout(conn));
}

Test(fcgi_connection, once_closed_the_peer_sees_it_and_the_worker_frees_it_later)
{
    char byte;

    cr_assert_eq(counter_read(&server.stats.connections), 1);
    fcgi_connection_begin_request(conn);
    fcgi_connection_close(conn);
    fcgi_connection_close(conn);
    cr_assert_eq(read(peer, &byte, 1), 0);
    cr_assert_eq(counter_read(&server.stats.connections), 0);
    cr_assert_eq(server.busy, 0);
    cr_assert(list_empty(&worker.connections));
    cr_assert_eq(worker.closing.next, &conn->link);
}
