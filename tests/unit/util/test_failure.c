/* test_failure.c - one failed request: the first cause, and a detail that is always UTF-8. */

#include "util/failure.h"
#include "util/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(failure, the_first_cause_is_the_one_to_report)
{
    struct failure f = { 0 };

    cr_assert_eq(failure_set(&f, ERROR_BLOCKED, "rule %d", 7), -1);
    cr_assert_eq(failure_set(&f, ERROR_TIMEOUT, "later"), -1);

    cr_assert_eq(f.error, ERROR_BLOCKED);
    cr_assert_str_eq(f.detail, "rule 7");
}

Test(failure, a_long_detail_is_cut_to_fit)
{
    char text[600];
    struct failure f = { 0 };

    memset(text, 'a', sizeof text);
    text[599] = '\0';
    failure_set(&f, ERROR_INTERNAL, "%s", text);

    cr_assert_eq(strlen(f.detail), sizeof f.detail - 1);
}

Test(failure, the_cut_does_not_halve_a_character)
{
    char text[600] = "";
    struct failure f = { 0 };

    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    failure_set(&f, ERROR_INTERNAL, "%s", text); /* 511 bytes would end in half an e-acute */

    cr_assert_eq(strlen(f.detail), 510);
    cr_assert(utf8_valid(f.detail, 510));
}

Test(failure, bytes_that_are_not_utf_8_become_question_marks)
{
    struct failure f = { 0 };

    failure_set(&f, ERROR_INTERNAL, "a%sb", "\xFF\xC3\xA9\x80");

    cr_assert_str_eq(f.detail, "a?\xC3\xA9?b");
}
