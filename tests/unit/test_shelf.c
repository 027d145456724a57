/* test_shelf.c - request objects kept for the hand-off that names them. */

#include "gateway/shelf.h"

#include "support/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct shelf *s;
static struct failure err;
static char name[SHELF_NAME_SIZE];

static void
setup(void)
{
    s = shelf_new();
}

static void
teardown(void)
{
    shelf_free(s);
}

TestSuite(shelf, .init = setup, .fini = teardown);

static void
put(const char *text)
{
    cr_assert_eq(shelf_put(s, text, strlen(text), name, &err), 0, "%s", err.detail);
}

static void
holds(const char *text)
{
    char *got = shelf_take(s, name);

    cr_assert_not_null(got);
    cr_assert_str_eq(got, text);
    free(got);
}

Test(shelf, gives_back_what_it_was_given_once)
{
    put("{\"url\":\"http://a/\"}");
    cr_assert_eq(strlen(name), SHELF_NAME_SIZE - 1);
    holds("{\"url\":\"http://a/\"}");
    cr_assert_null(shelf_take(s, name));
}

Test(shelf, does_not_know_another_name)
{
    put("{}");
    name[0] = name[0] == '0' ? '1' : '0';
    cr_assert_null(shelf_take(s, name));
    cr_assert_null(shelf_take(s, ""));
}

Test(shelf, holds_a_request_for_a_minute)
{
    put("{}");
    clock_skip(SHELF_SECONDS - 1);
    holds("{}");
}

Test(shelf, forgets_it_after_a_minute)
{
    put("{}");
    clock_skip(SHELF_SECONDS);
    cr_assert_null(shelf_take(s, name));
}

Test(shelf, is_full_at_its_number_and_has_room_again_later)
{
    for (int i = 0; i < SHELF_ITEMS_MAX; i++)
        put("{}");
    cr_assert_eq(shelf_put(s, "{}", 2, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    clock_skip(SHELF_SECONDS);
    put("{}");
    holds("{}");
}

Test(shelf, is_full_at_its_size)
{
    size_t half = SHELF_BYTES_MAX / 2;
    char *text = calloc(1, half + 1);

    cr_assert_eq(shelf_put(s, text, half, name, &err), 0);
    cr_assert_eq(shelf_put(s, text, half + 1, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_eq(shelf_put(s, text, half, name, &err), 0);
    free(text);
}
