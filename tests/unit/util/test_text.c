/* test_text.c - strings that their struct owns. */

#include "util/text.h"

#include <criterion/criterion.h>

Test(text, none_is_copied_as_none_and_equals_nothing_else)
{
    char *to;

    cr_assert_eq(text_copy(&to, NULL), 0);
    cr_assert_null(to);
    cr_assert(text_equal(NULL, NULL));
    cr_assert_not(text_equal(NULL, ""));
    cr_assert_not(text_equal("", NULL));
    cr_assert(text_equal("a", "a"));
}

Test(text, a_replaced_string_is_freed)
{
    char *to = NULL;

    cr_assert_eq(text_replace(&to, "a"), 0);
    cr_assert_eq(text_replace(&to, "b"), 0);
    cr_assert_str_eq(to, "b");
    cr_assert_eq(text_replace(&to, NULL), 0);
    cr_assert_null(to);
}
