/* test_acceptor.c - connections of web servers, up to the limit of open files and beyond it. */

#include "fastcgi/acceptor.h"

#include "support/web_server.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <unistd.h>

#define MAX     3
#define SURPLUS 2

static struct web_server w;

static void
setup(void)
{
    web_server_start(&w);
    w.server->connections_max = MAX;
    w.server->surplus_max = SURPLUS;
}

static void
teardown(void)
{
    web_server_stop(&w);
}

TestSuite(acceptor, .init = setup, .fini = teardown, .timeout = 60);

static void
await_connections(int n)
{
    while (counter_read(&w.server->stats.connections) != n)
        usleep(1000);
}

static void
dial(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        fds[i] = web_server_dial(&w);
}

/* In use: an idle one may have to go, after a second, for a connection beyond the limit. */
static void
dial_and_hold(int *fds, int n)
{
    dial(fds, n);
    for (int i = 0; i < n; i++)
        web_server_ask_fetch(&w, fds[i], "/hold", true);
    await_connections(n);
}

/* Which of them is for the worker to say whose turn it is: each knows its own. */
static void
await_end_of_one(const int *fds, int n)
{
    struct pollfd polls[MAX];

    for (int i = 0; i < n; i++)
        polls[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    cr_assert_gt(poll(polls, (nfds_t)n, 10000), 0);
}

static void
hang_up(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

Test(acceptor, at_the_limit_fetches_go_through)
{
    int fds[MAX];

    dial(fds, MAX);
    await_connections(MAX);
    for (int i = 0; i < MAX; i++) {
        web_server_ask_fetch(&w, fds[i], "/", true);
        web_server_expect(fds[i], "\"body\":\"ok\"");
    }
    hang_up(fds, MAX);
}

Test(acceptor, beyond_the_limit_a_fetch_is_refused_and_health_is_answered)
{
    int fds[MAX], more[2];

    dial_and_hold(fds, MAX);
    dial(more, 2);
    web_server_ask_fetch(&w, more[0], "/", true);
    web_server_expect(more[0], "\"code\":\"overloaded\"");
    cr_assert(web_server_has_ended(more[0])); /* it has asked to keep it */
    web_server_ask(more[1], "/healthz", "", true);
    web_server_expect(more[1], "Status: 200 OK");
    hang_up(fds, MAX);
    hang_up(more, 2);
}

Test(acceptor, beyond_that_connections_wait_until_one_ends)
{
    int fds[MAX + SURPLUS], last;

    dial_and_hold(fds, MAX);
    dial(fds + MAX, SURPLUS);
    await_connections(MAX + SURPLUS);
    last = web_server_dial(&w);
    web_server_ask(last, "/healthz", "", false); /* answered beyond the limit, too */
    usleep(300000);
    cr_assert_eq(counter_read(&w.server->stats.connections), MAX + SURPLUS);
    close(fds[0]);
    web_server_expect(last, "Status: 200 OK");
    close(last);
    hang_up(fds + 1, MAX + SURPLUS - 1);
}

Test(acceptor, the_connection_that_is_idle_for_longest_makes_room)
{
    int fds[MAX], more;

    for (int i = 0; i < MAX; i++) {
        fds[i] = web_server_dial(&w);
        web_server_ask(fds[i], "/healthz", "", true);
        web_server_expect(fds[i], "Status: 200 OK");
    }
    usleep(1100000); /* what was used within a second is spared */
    web_server_ask(fds[0], "/healthz", "", true);
    web_server_expect(fds[0], "Status: 200 OK");
    more = web_server_dial(&w);
    await_end_of_one(fds + 1, MAX - 1);
    web_server_ask_fetch(&w, more, "/", true);
    web_server_expect(more, "\"body\":\"ok\"");
    web_server_ask(fds[0], "/healthz", "", true);
    web_server_expect(fds[0], "Status: 200 OK");
    close(more);
    hang_up(fds, MAX);
}
