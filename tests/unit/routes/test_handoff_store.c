/* test_handoff_store.c - request objects kept for the handoff that names them. */

#include "routes/handoff_store.h"

#include "support/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct handoff_store *s;
static struct failure err;
static char name[HANDOFF_STORE_NAME_SIZE];

static void
setup(void)
{
    s = handoff_store_new();
}

static void
teardown(void)
{
    handoff_store_free(s);
}

TestSuite(handoff_store, .init = setup, .fini = teardown);

static void
put(const char *text)
{
    cr_assert_eq(handoff_store_put(s, text, strlen(text), name, &err), 0, "%s", err.detail);
}

static void
holds(const char *text)
{
    char *got = handoff_store_take(s, name);

    cr_assert_not_null(got);
    cr_assert_str_eq(got, text);
    free(got);
}

Test(handoff_store, gives_back_what_it_was_given_once)
{
    put("{\"url\":\"http://a/\"}");
    cr_assert_eq(strlen(name), HANDOFF_STORE_NAME_SIZE - 1);
    holds("{\"url\":\"http://a/\"}");
    cr_assert_null(handoff_store_take(s, name));
}

Test(handoff_store, does_not_know_another_name)
{
    put("{}");
    name[0] = name[0] == '0' ? '1' : '0';
    cr_assert_null(handoff_store_take(s, name));
    cr_assert_null(handoff_store_take(s, ""));
}

Test(handoff_store, holds_a_request_for_a_minute)
{
    put("{}");
    clock_skip(HANDOFF_STORE_SECONDS - 1);
    holds("{}");
}

Test(handoff_store, forgets_it_after_a_minute)
{
    put("{}");
    clock_skip(HANDOFF_STORE_SECONDS);
    cr_assert_null(handoff_store_take(s, name));
}

Test(handoff_store, is_full_at_its_number_and_has_room_again_later)
{
    for (int i = 0; i < HANDOFF_STORE_ITEMS_MAX; i++)
        put("{}");
    cr_assert_eq(handoff_store_put(s, "{}", 2, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    clock_skip(HANDOFF_STORE_SECONDS);
    put("{}");
    holds("{}");
}

Test(handoff_store, is_full_at_its_size)
{
    size_t half = HANDOFF_STORE_BYTES_MAX / 2;
    char *text = calloc(1, half + 1);

    cr_assert_eq(handoff_store_put(s, text, half, name, &err), 0);
    cr_assert_eq(handoff_store_put(s, text, half + 1, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_eq(handoff_store_put(s, text, half, name, &err), 0);
    free(text);
}
