/* test_headers.c - names and values, in order. */

#include "http/headers.h"

#include <criterion/criterion.h>
#include <string.h>

static struct headers p, other;

static void
setup(void)
{
    p = other = (struct headers){ 0 };
    headers_add(&p, "Accept", 6, "a", 1);
    headers_add(&p, "X-Gone", 6, NULL, 0);
    headers_add(&p, "accept", 6, "b", 1);
}

static void
teardown(void)
{
    headers_destroy(&p);
    headers_destroy(&other);
}

TestSuite(headers, .init = setup, .fini = teardown);

Test(headers, are_found_by_name_in_any_case_the_first_one_counts)
{
    cr_assert_str_eq(headers_get(&p, "ACCEPT"), "a");
    cr_assert_null(headers_get(&p, "X-Gone"));
    cr_assert_null(headers_get(&p, "Accep"));
    cr_assert_null(headers_get(&other, "Accept"));
}

Test(headers, a_removed_one_is_there_without_a_value)
{
    cr_assert(headers_has(&p, "x-gone"));
    cr_assert_not(headers_has(&p, "x-gon"));
}

Test(headers, a_copy_is_equal_and_has_text_of_its_own)
{
    cr_assert_eq(headers_add_all(&other, &p), 0);
    cr_assert(headers_equal(&p, &other));
    cr_assert_neq(p.items[0].value, other.items[0].value);
    cr_assert_null(other.items[1].value);
}

Test(headers, differ_by_value_number_and_order_not_by_case)
{
    headers_add(&other, "ACCEPT", 6, "a", 1);
    cr_assert_not(headers_equal(&p, &other));
    headers_add(&other, "x-gone", 6, "", 0);
    headers_add(&other, "Accept", 6, "b", 1);
    cr_assert_not(headers_equal(&p, &other), "an empty value is not a removed one");
    headers_destroy(&other);
    headers_add(&other, "ACCEPT", 6, "a", 1);
    headers_add(&other, "x-gone", 6, NULL, 0);
    headers_add(&other, "Accept", 6, "b", 1);
    cr_assert(headers_equal(&p, &other));
}

Test(headers, the_last_value_can_be_continued)
{
    cr_assert_eq(headers_extend(&p, "more", 4), 0);
    cr_assert_str_eq(p.items[2].value, "b more");
}
