/* test_batch_window.c - a batch: what may be started, and what comes out in which order. */

#include "routes/batch_window.h"

#include <criterion/criterion.h>
#include <string.h>

#define REQUESTS 40      /* of each batch here */
#define BYTES    1000000 /* of bodies that may wait */

static struct batch_window *window;
static struct curlew_fetch *in_flight[REQUESTS];

static void
start_with(const char *more)
{
    struct failure err = { 0 };
    struct buffer text;

    buffer_init(&text, 10000);
    buffer_adds(&text, "{\"requests\":[");
    for (int i = 0; i < REQUESTS; i++)
        buffer_printf(&text, "%s{\"url\":\"http://a/%d\"}", i > 0 ? "," : "", i);
    buffer_printf(&text, "],%s}", more);
    window = batch_window_new(batch_from_text(text.data, text.len, &REQUEST_LIMITS_DEFAULT, &err),
                              BYTES);
    buffer_free(&text);
    cr_assert_not_null(window);
}

static void
teardown(void)
{
    batch_window_free(window);
}

TestSuite(batch_window, .fini = teardown);

/* Whatever has room; how many. */
static int
start_all(void)
{
    int n = 0;

    for (; batch_window_has_room(window); n++) {
        struct curlew_fetch *f = fetch_new();

        batch_window_start(window, f);
        in_flight[f->index] = f;
    }
    return n;
}

static void
back(int index, size_t bytes)
{
    static char body[2 * BYTES];

    buffer_add(&in_flight[index]->response.body, body, bytes);
    batch_window_on_fetch_done(window, in_flight[index]);
}

/* The index of the next result; -1: none is ready. */
static int
take(void)
{
    struct curlew_fetch *f = batch_window_take(window);
    int index = f != NULL ? f->index : -1;

    fetch_unref(f);
    return index;
}

/* -- what may be started ------------------------------------------------- */

Test(batch_window, starts_max_parallel_and_one_for_each_that_is_back)
{
    start_with("\"max_parallel\":3");

    cr_assert_eq(start_all(), 3);
    cr_assert_str_eq(in_flight[2]->request.url, "http://a/2");
    back(1, 0);
    cr_assert_eq(start_all(), 1);
    back(3, 0);
    back(0, 0);
    cr_assert_eq(start_all(), 2);
}

Test(batch_window, results_that_nobody_takes_stop_the_starts)
{
    start_with("\"max_parallel\":2");

    for (int i = 0; i < BATCH_WINDOW * 2; i++) {
        start_all();
        cr_assert_not_null(in_flight[i], "%d was not started", i);
        back(i, 0);
    }
    cr_assert_eq(start_all(), 0);
    cr_assert_eq(take(), 0);
    cr_assert_eq(start_all(), 1);
}

Test(batch_window, bodies_that_nobody_takes_stop_the_starts_at_the_limit)
{
    start_with("\"max_parallel\":4");

    start_all();
    back(0, BYTES - 1);
    cr_assert_eq(start_all(), 1);
    back(1, 1);
    cr_assert_eq(start_all(), 0);
    cr_assert_eq(take(), 0);
    cr_assert_eq(start_all(), 1);
}

/* -- in which order ------------------------------------------------------ */

Test(batch_window, gives_results_as_they_come)
{
    start_with("\"max_parallel\":3");

    start_all();
    cr_assert_eq(take(), -1);
    back(2, 0);
    back(0, 0);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), -1);
}

Test(batch_window, gives_results_in_the_order_of_input)
{
    start_with("\"max_parallel\":4,\"order\":\"input\"");

    start_all();
    back(2, 0);
    back(1, 0);
    cr_assert_eq(take(), -1);
    back(0, 0);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), -1);
}

Test(batch_window, a_late_first_result_holds_back_a_window_and_no_more)
{
    start_with("\"max_parallel\":2,\"order\":\"input\"");

    start_all();
    for (int i = 1; i < BATCH_WINDOW * 2; i++) {
        back(i, 0);
        start_all();
    }
    cr_assert_null(in_flight[BATCH_WINDOW * 2]);
    back(0, 0);
    for (int i = 0; i < BATCH_WINDOW * 2; i++)
        cr_assert_eq(take(), i);
    cr_assert_eq(start_all(), 2);
}

Test(batch_window, large_bodies_before_their_turn_count_too_and_cannot_lock_it_up)
{
    start_with("\"max_parallel\":2,\"order\":\"input\"");

    start_all();
    back(1, 2 * BYTES);
    cr_assert_eq(start_all(), 0);
    back(0, 0);
    cr_assert_eq(take(), 0);
    cr_assert_eq(start_all(), 0);
    cr_assert_eq(take(), 1);
    cr_assert_eq(start_all(), 2);
}

static void
run_through(const char *more, bool in_order)
{
    bool seen[REQUESTS] = { false };
    int taken = 0;

    start_with(more);
    for (int round = 0; !batch_window_is_done(window); round++) {
        int index;

        start_all();
        for (int i = REQUESTS - 1; i >= 0; i--) /* the newest come back first */
            if (in_flight[i] != NULL && (i + round) % 3 != 0) {
                back(i, 10);
                in_flight[i] = NULL;
            }
        while ((index = take()) >= 0) {
            cr_assert(!in_order || index == taken, "%d instead of %d", index, taken);
            cr_assert_not(seen[index]);
            seen[index] = true;
            taken++;
        }
    }
    cr_assert_eq(taken, REQUESTS);
}

Test(batch_window, every_request_comes_out_once)
{
    run_through("\"max_parallel\":7", false);
}

Test(batch_window, every_request_comes_out_once_and_in_order)
{
    run_through("\"max_parallel\":7,\"order\":\"input\"", true);
}

/* -- the end ------------------------------------------------------------- */

Test(batch_window, once_stopped_it_starts_no_more_and_cancels_what_flies)
{
    start_with("\"max_parallel\":3,\"order\":\"input\"");

    start_all();
    back(1, 0);
    batch_window_cancel(window);
    cr_assert(in_flight[0]->cancelled);
    cr_assert(in_flight[2]->cancelled);
    cr_assert_not(in_flight[1]->cancelled);
    cr_assert_eq(start_all(), 0);
    cr_assert_not(batch_window_is_done(window));
    back(0, 0);
    back(2, 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(take(), i);
    cr_assert(batch_window_is_done(window));
}

Test(batch_window, frees_what_nobody_has_taken)
{
    start_with("\"max_parallel\":5,\"order\":\"input\"");

    start_all();
    back(0, 10); /* ready */
    back(3, 10); /* early; the others fly */
}
