/* test_connection_sweep.c - transfers that make libcurl close what is shut down. */

#include "transfer/connection_sweep.h"

#include <criterion/criterion.h>

static struct loop l;
static CURLM *multi;
static struct connection_sweep s;

static void
setup(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    cr_assert_eq(loop_init(&l), 0);
    multi = curl_multi_init();
    connection_sweep_init(&s, &l, multi);
}

static void
teardown(void)
{
    connection_sweep_destroy(&s);
    curl_multi_cleanup(multi);
    loop_destroy(&l);
    curl_global_cleanup();
}

TestSuite(connection_sweep, .init = setup, .fini = teardown, .timeout = 20);

/* The handle that libcurl has finished with next. */
static CURL *
await_finished(void)
{
    int running = 1, left;
    CURLMsg *msg;

    while (!s.running)
        loop_turn(&l);
    while ((msg = curl_multi_info_read(multi, &left)) == NULL) {
        curl_multi_poll(multi, NULL, 0, 100, NULL);
        curl_multi_perform(multi, &running);
    }
    cr_assert_neq(msg->data.result, CURLE_OK, "it connects to nothing");
    return msg->easy_handle;
}

Test(connection_sweep, one_that_was_never_needed_has_no_handle)
{
    cr_assert_null(s.easy);
    cr_assert_not(timer_is_set(&s.timer));
}

Test(connection_sweep, a_sweep_is_a_transfer_whose_socket_is_refused)
{
    CURL *other = curl_easy_init(), *done;

    connection_sweep_start(&s);
    connection_sweep_start(&s); /* a second connection: one sweep for both */
    done = await_finished();
    cr_assert_not(connection_sweep_finish(&s, other, false));
    cr_assert(connection_sweep_finish(&s, done, false));
    cr_assert_not(s.running);
    cr_assert_not(timer_is_set(&s.timer), "nothing is left: no more of them");
    curl_easy_cleanup(other);
}

Test(connection_sweep, it_is_repeated_while_connections_are_left)
{
    connection_sweep_start(&s);
    cr_assert(connection_sweep_finish(&s, await_finished(), true));
    cr_assert(timer_is_set(&s.timer));
}

Test(connection_sweep, it_can_end_while_it_runs)
{
    connection_sweep_start(&s);
    while (!s.running)
        loop_turn(&l);
}
