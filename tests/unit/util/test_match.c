/* test_match.c - which items of one list are those of another. */

#include "util/match.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

static int
compare(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static const char *const a[] = { "b", "a", "B", "x", "b", "" }, *const b[] = { "B", "c", "b", "A" };
static const struct match_list of_a = { a, 6, sizeof a[0] }, of_b = { b, 4, sizeof b[0] };

static void
found(const size_t *at, const size_t *expected)
{
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(at[i], expected[i], "%zu: %zu", i, at[i]);
}

Test(match, the_first_of_a_name_is_found_each_time)
{
    size_t at[6];

    cr_assert_eq(match_first(at, &of_a, &of_b, compare), 0);
    found(at, (size_t[]){ 0, 3, 0, MATCH_NONE, 0, MATCH_NONE });
}

Test(match, the_nth_of_a_name_finds_the_nth)
{
    size_t at[6];

    cr_assert_eq(match_nth(at, &of_a, &of_b, compare), 0);
    found(at, (size_t[]){ 0, 3, 2, MATCH_NONE, MATCH_NONE, MATCH_NONE });
}

Test(match, empty_lists_match_nothing)
{
    const struct match_list none = { NULL, 0, sizeof a[0] };
    size_t at[6];

    cr_assert_eq(match_first(at, &none, &of_b, compare), 0);
    cr_assert_eq(match_first(at, &of_a, &none, compare), 0);
    found(at, (size_t[]){ MATCH_NONE, MATCH_NONE, MATCH_NONE, MATCH_NONE, MATCH_NONE, MATCH_NONE });
}

Test(match, a_hundred_thousand_of_one_name_take_a_moment)
{
    enum { COUNT = 100000 };
    const char **many = malloc(COUNT * sizeof many[0]);
    size_t *at = malloc(COUNT * sizeof at[0]);
    const struct match_list list = { many, COUNT, sizeof many[0] };
    clock_t start = clock();

    for (size_t i = 0; i < COUNT; i++)
        many[i] = "a";
    cr_assert_eq(match_nth(at, &list, &list, compare), 0);
    cr_assert_eq(at[COUNT - 1], COUNT - 1);
    cr_assert_lt(clock() - start, 2 * CLOCKS_PER_SEC, "each with each takes 20 seconds");
    free(many);
    free(at);
}
