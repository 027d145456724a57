/* test_fcgi_server.c - listeners, limits and the end of the server, as a web server meets them. */

#include "fastcgi/fcgi_server.h"

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

TestSuite(fcgi_server, .init = setup, .fini = teardown, .timeout = 60);

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
    cr_assert(web_server_was_asked_to_leave(fd));
    cr_assert(web_server_has_ended(fd));
    close(fd);
}

static void
post(int fd, const char *text)
{
    struct buffer b;

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    end_of(&b, FCGI_PARAMS, 1);
    body(&b, 1, text);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
}

Test(fcgi_server, new_limits_count_from_the_next_request_on)
{
    const struct fcgi_server_limits limits = { .request_bytes = 4, .bodies_bytes = 5000 };
    int fd = web_server_dial(&w);

    post(fd, "12345");
    web_server_expect(fd, "Status: 400"); /* read, and no request object */
    fcgi_server_set_limits(w.server, &limits);
    post(fd, "12345");
    web_server_expect(fd, "Status: 413");
    close(fd);
}
