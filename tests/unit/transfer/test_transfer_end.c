/* test_transfer_end.c - one hop of a fetch: what the end of it means. */

#include "transfer/transfer.h"

#include "support/echo_origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct echo_origin t;

static void
setup(void)
{
    echo_origin_open(&t);
}

static void
teardown(void)
{
    echo_origin_close(&t);
}

TestSuite(transfer_end, .init = setup, .fini = teardown, .timeout = 60);

/* -- the end ------------------------------------------------------------- */

Test(transfer_end, a_body_cut_short_is_an_error)
{
    echo_fail(&t, "/cut", "incomplete_body");
    echo_fail(&t, "/cut-chunk", "incomplete_body");
}

Test(transfer_end, a_connection_closed_without_an_answer_is_an_error)
{
    echo_fail(&t, "/nothing", "recv_failed");
}

Test(transfer_end, an_answer_that_is_no_HTTP_is_an_error)
{
    echo_fail(&t, "/no-http", "protocol_error");
}

Test(transfer_end, content_that_is_not_coded_as_it_says_is_an_error)
{
    echo_fail(&t, "/no-gzip", "protocol_error");
}

Test(transfer_end, a_closed_port_is_an_error)
{
    origin_deafen(&t.origin);
    echo_fail(&t, "/", "connect_failed");
}

Test(transfer_end, a_name_that_does_not_exist_is_an_error)
{
    struct curlew_fetch *f = runner_do(t.engine, runner_fetch("http://no-such-name.invalid/"));

    cr_assert_str_eq(runner_code(f), "dns_failed");
    curlew_fetch_free(f);
}

Test(transfer_end, a_body_that_ends_with_the_connection_is_whole)
{
    struct curlew_fetch *f = echo_fetch(&t, "/until-close");
    size_t n;

    echo_succeed(&t, f);
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "all of it", 9), 0);
    cr_assert_eq(n, 9);
    curlew_fetch_free(f);
}

Test(transfer_end, the_response_tells_about_its_connection)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_succeed(&t, f);
    cr_assert_eq(f->response.http_version, 11);
    cr_assert_str_eq(f->response.remote_ip, "127.0.0.1");
    cr_assert_eq(f->response.remote_port, t.origin.port);
    cr_assert_str_eq(f->response.local_ip, "127.0.0.1");
    cr_assert_gt(f->response.local_port, 0);
    cr_assert_not(f->response.reused);
    cr_assert_str_eq(f->response.head.reason, "Reason 200");
    cr_assert_eq(strncmp(f->response.head.url, t.origin.url, strlen(t.origin.url)), 0);
    cr_assert_gt(f->response.timing.total, 0);
    cr_assert_geq(f->response.timing.total, f->response.timing.first_byte);
    curlew_fetch_free(f);
}

Test(transfer_end, a_second_fetch_finds_the_connection_warm)
{
    for (int i = 0; i < 5; i++) {
        struct curlew_fetch *f = echo_fetch(&t, "/");

        echo_succeed(&t, f);
        cr_assert_eq(f->response.reused, i > 0);
        curlew_fetch_free(f);
    }
    cr_assert_eq(origin_connections(&t.origin), 1);
}

Test(transfer_end, a_proxy_of_the_environment_is_not_used)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    echo_succeed(&t, f);
    cr_assert(echo_got_request(&t, "GET / "), "%s", t.head);
    curlew_fetch_free(f);
}
