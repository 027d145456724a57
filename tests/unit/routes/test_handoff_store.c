/* test_handoff_store.c - request objects kept for the handoff that names them. */

#include "routes/handoff_store.h"

#include "support/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct handoff_store *s;
static struct failure err;
static char name[HANDOFF_STORE_NAME_SIZE];
static uint64_t owner; /* of what is put */
static uint64_t token; /* of what was taken */

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
    cr_assert_eq(handoff_store_put(s, text, strlen(text), owner, name, &err), 0, "%s", err.detail);
}

static void
holds(const char *text)
{
    char *got = handoff_store_take(s, name, &token);

    cr_assert_not_null(got);
    cr_assert_str_eq(got, text);
    free(got);
}

Test(handoff_store, gives_back_what_it_was_given_once)
{
    put("{\"url\":\"http://a/\"}");
    cr_assert_eq(strlen(name), HANDOFF_STORE_NAME_SIZE - 1);
    holds("{\"url\":\"http://a/\"}");
    cr_assert_null(handoff_store_take(s, name, &token));
}

Test(handoff_store, does_not_know_another_name)
{
    put("{}");
    name[0] = name[0] == '0' ? '1' : '0';
    cr_assert_null(handoff_store_take(s, name, &token));
    cr_assert_null(handoff_store_take(s, "", &token));
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
    cr_assert_null(handoff_store_take(s, name, &token));
}

Test(handoff_store, is_full_at_its_number_and_has_room_again_later)
{
    for (int i = 0; i < HANDOFF_STORE_ITEMS_MAX; i++)
        put("{}");
    cr_assert_eq(handoff_store_put(s, "{}", 2, owner, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    clock_skip(HANDOFF_STORE_SECONDS);
    put("{}");
    holds("{}");
}

Test(handoff_store, is_full_at_its_size)
{
    size_t half = HANDOFF_STORE_BYTES_MAX / 2;
    char *text = calloc(1, half + 1);

    cr_assert_eq(handoff_store_put(s, text, half, owner, name, &err), 0);
    cr_assert_eq(handoff_store_put(s, text, half + 1, owner, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_eq(handoff_store_put(s, text, half, owner, name, &err), 0);
    free(text);
}

Test(handoff_store, tells_by_which_token_it_was_given)
{
    char first[HANDOFF_STORE_NAME_SIZE];

    owner = 7;
    put("{}");
    strcpy(first, name);
    owner = 8;
    put("{}");
    holds("{}");
    cr_assert_eq(token, 8);
    strcpy(name, first);
    holds("{}");
    cr_assert_eq(token, 7);
}

Test(handoff_store, knows_no_part_of_a_name_and_no_more_than_it)
{
    char longer[HANDOFF_STORE_NAME_SIZE + 1];

    put("{}");
    snprintf(longer, sizeof longer, "%s0", name);
    cr_assert_null(handoff_store_take(s, longer, &token));
    snprintf(longer, sizeof longer, "%.31s", name);
    cr_assert_null(handoff_store_take(s, longer, &token));
    cr_assert_null(handoff_store_take(s, "-1", &token));
    cr_assert_null(handoff_store_take(s, "\xff", &token));
    holds("{}");
}

Test(handoff_store, finds_each_of_many)
{
    static char names[1000][HANDOFF_STORE_NAME_SIZE];
    char text[20];

    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "%d", i);
        put(text);
        strcpy(names[i], name);
    }
    for (int i = 999; i >= 0; i--) {
        snprintf(text, sizeof text, "%d", i);
        strcpy(name, names[i]);
        holds(text);
    }
}

Test(handoff_store, one_token_may_hold_a_quarter_of_the_number)
{
    owner = 1;
    for (int i = 0; i < HANDOFF_STORE_ITEMS_MAX / 4; i++)
        put("{}");
    cr_assert_eq(handoff_store_put(s, "{}", 2, owner, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_not_null(strstr(err.detail, "this token"));
    owner = 2;
    put("{}");
    holds("{}");
    owner = 1;
    clock_skip(HANDOFF_STORE_SECONDS);
    put("{}");
}

Test(handoff_store, one_token_may_hold_a_quarter_of_the_bytes)
{
    size_t share = HANDOFF_STORE_BYTES_MAX / 4;
    char *text = calloc(1, share + 1);

    owner = 1;
    cr_assert_eq(handoff_store_put(s, text, share, owner, name, &err), 0);
    cr_assert_eq(handoff_store_put(s, text, 1, owner, name, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_eq(handoff_store_put(s, text, share, 2, name, &err), 0);
    cr_assert_eq(handoff_store_put(s, text, share + 1, 3, name, &err), -1);
    free(text);
}
