/* test_header_lines.c - lines for CURLOPT_HTTPHEADER, kept in two blocks. */

#include "transfer/header_lines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct header_lines lines;

static void
setup(void)
{
    header_lines_init(&lines);
}

static void
teardown(void)
{
    header_lines_destroy(&lines);
}

TestSuite(header_lines, .init = setup, .fini = teardown);

static void
add(const char *name, const char *value)
{
    cr_assert_eq(header_lines_add(&lines, name, value), 0);
}

Test(header_lines, none_is_no_list)
{
    cr_assert_null(header_lines_list(&lines));
}

Test(header_lines, an_empty_value_and_a_removed_default_are_in_libcurls_notation)
{
    const struct curl_slist *list;

    add("A", "b c");
    add("Empty", "");
    add("Expect", NULL);
    list = header_lines_list(&lines);
    cr_assert_str_eq(list->data, "A: b c");
    cr_assert_str_eq(list->next->data, "Empty;");
    cr_assert_str_eq(list->next->next->data, "Expect:");
    cr_assert_null(list->next->next->next);
}

Test(header_lines, a_blank_value_is_an_empty_one)
{
    static const char *const blanks[] = { " ", "\t", " \t ", "\v", "\f " };

    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        header_lines_clear(&lines);
        add("Blank", blanks[i]);
        cr_assert_str_eq(header_lines_list(&lines)->data, "Blank;");
    }
    header_lines_clear(&lines);
    add("A", " b ");
    cr_assert_str_eq(header_lines_list(&lines)->data, "A:  b ");
}

Test(header_lines, many_are_one_list_in_order)
{
    const struct curl_slist *at;
    char name[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "N%d", i);
        add(name, "value");
    }
    at = header_lines_list(&lines);
    for (int i = 0; i < 1000; i++, at = at->next) {
        snprintf(name, sizeof name, "N%d: value", i);
        cr_assert_not_null(at);
        cr_assert_str_eq(at->data, name, "%s", at->data);
    }
    cr_assert_null(at);
}

Test(header_lines, a_name_is_left_out_of_the_list_that_was_given_out)
{
    struct curl_slist *list;

    add("X-Expect", "a");
    add("EXPECT", "100-continue");
    add("Expect-CT", "b");
    list = header_lines_list(&lines);
    cr_assert(header_lines_has(&lines, "expect"));
    header_lines_leave_out(&lines, "expect");
    cr_assert_not(header_lines_has(&lines, "expect"));
    cr_assert_str_eq(list->data, "X-Expect: a");
    cr_assert_str_eq(list->next->data, "EXPECT:");
    cr_assert_str_eq(list->next->next->data, "Expect-CT: b");
}

Test(header_lines, nothing_of_one_request_is_in_the_next)
{
    add("Secret", "x");
    add("Other", "y");
    header_lines_clear(&lines);
    cr_assert_null(header_lines_list(&lines));
    add("A", "b");
    cr_assert_str_eq(header_lines_list(&lines)->data, "A: b");
    cr_assert_null(header_lines_list(&lines)->next);
}

Test(header_lines, usual_memory_is_kept_and_more_is_given_back)
{
    static char large[8192];
    const struct curl_slist *nodes;

    add("A", "b");
    nodes = header_lines_list(&lines);
    header_lines_clear(&lines);
    add("C", "d");
    cr_assert_eq(header_lines_list(&lines), nodes);
    memset(large, 'x', sizeof large - 1);
    add("Large", large);
    header_lines_clear(&lines);
    cr_assert_eq(lines.text.cap, 0);
    cr_assert_null(lines.nodes);
}
