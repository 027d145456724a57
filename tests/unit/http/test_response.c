/* test_response.c - what came back: one response as plain data. */

#include "http/response.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct response r;

static void
setup(void)
{
    response_init(&r);
}

static void
teardown(void)
{
    response_destroy(&r);
    runner_check_leaks();
}

TestSuite(response, .init = setup, .fini = teardown);

static void
fill_head(int status)
{
    r.head.status = status;
    r.head.reason = "Reason";
    r.head.url = "http://a/";
    headers_add(&r.head.headers, "X", 1, "1", 1);
}

Test(response, is_empty_when_new)
{
    cr_assert_eq(r.head.status, 0);
    cr_assert_eq(r.history_count, 0);
    cr_assert_eq(r.body.len, 0);
    buffer_adds(&r.body, "any size");
    cr_assert(buffer_ok(&r.body));
}

Test(response, heads_move_into_the_history_oldest_first)
{
    for (int i = 0; i < 40; i++) {
        fill_head(300 + i);
        cr_assert_eq(response_push_history(&r), 0);
        cr_assert_eq(r.head.status, 0, "the new head is empty");
        cr_assert_null(r.head.url);
        cr_assert_eq(r.head.headers.count, 0);
    }
    cr_assert_eq(r.history_count, 40);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(r.history[i].status, 300 + i);
        cr_assert_str_eq(r.history[i].headers.items[0].value, "1");
    }
}

Test(response, the_newest_of_the_history_becomes_the_head_again)
{
    fill_head(301);
    cr_assert_eq(response_push_history(&r), 0);
    fill_head(302);
    cr_assert_eq(response_push_history(&r), 0);
    fill_head(200);
    response_pop_history(&r);
    cr_assert_eq(r.head.status, 302);
    cr_assert_eq(r.history_count, 1);
    response_pop_history(&r);
    cr_assert_eq(r.head.status, 301);
    cr_assert_eq(r.history_count, 0);
}

Test(response, a_head_can_be_destroyed_and_used_again)
{
    fill_head(200);
    response_head_destroy(&r.head);
    response_head_destroy(&r.head);
    cr_assert_null(r.head.reason);
    fill_head(404);
    cr_assert_eq(r.head.status, 404);
}

Test(response, is_as_new_after_its_destruction)
{
    const struct cookie c = { .name = (char *)"n", .value = (char *)"v" };

    fill_head(302);
    response_push_history(&r);
    fill_head(200);
    cookies_add(&r.cookies, &c);
    buffer_adds(&r.body, "body");
    response_destroy(&r);

    cr_assert_eq(r.history_count, 0);
    cr_assert_eq(r.cookies.count, 0);
    cr_assert_eq(r.body.len, 0);
    fill_head(200);
    buffer_adds(&r.body, "again");
    cr_assert(buffer_ok(&r.body));
}
