/* test_json_split.c - a document whose long lists are read element by element. */

#include "json/json_split.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct buffer rest;
static struct json_list lists[2];
static size_t count;

static void
split(const char *text)
{
    buffer_free(&rest);
    buffer_init(&rest, 10000);
    count = json_split_lists(text, strlen(text), lists, 2, &rest);
    cr_assert(buffer_ok(&rest));
}

static void
all_rest(const char *text)
{
    split(text);
    cr_assert_eq(count, 0, "%s", text);
    cr_assert_str_eq(rest.data, text);
}

Test(json_split, lists_of_the_top_level_are_empty_in_the_rest)
{
    split("{ \"a\": [1, {\"b\": [2]}], \"c\": {\"d\": [3]}, \"e\":[4]}");
    cr_assert_eq(count, 2);
    cr_assert_eq(lists[0].key, 1);
    cr_assert_eq(lists[1].key, 3);
    cr_assert_str_eq(rest.data, "{ \"a\": [             ], \"c\": {\"d\": [3]}, \"e\":[ ]}");
}

Test(json_split, lines_and_columns_stay)
{
    split("{\"a\":[\"\u00e9\u00e9\",\n 1],\"b\":2}");
    cr_assert_str_eq(rest.data, "{\"a\":[     \n  ],\"b\":2}");
}

Test(json_split, brackets_and_quotes_in_strings_are_text)
{
    split("{\"a[\\\"]\":[\"]\\\"],[\"],\"b\":\"[1]\"}");
    cr_assert_eq(count, 1);
    cr_assert_str_eq(rest.data, "{\"a[\\\"]\":[        ],\"b\":\"[1]\"}");
}

Test(json_split, what_is_not_split_is_the_parsers)
{
    all_rest("");
    all_rest("  ");
    all_rest("[1,2]");
    all_rest("7");
    all_rest("{}");
    all_rest("{\"a\":[]}");
    all_rest("{\"a\":[1,2");
    all_rest("{\"a\":[1,2}");
    all_rest("{\"a\":[1,2},\"b\":1}");
    all_rest("{\"a\":{\"b\":[1]}}");
    all_rest("{\"a");
    all_rest("{\"a\\");
    all_rest("}[1]");
}

Test(json_split, at_most_so_many_lists_are_split)
{
    split("{\"a\":[1],\"b\":[2],\"c\":[3]}");
    cr_assert_eq(count, 2);
    cr_assert_str_eq(rest.data, "{\"a\":[ ],\"b\":[ ],\"c\":[3]}");
}

static void
has_elements(const char *inside, size_t expected)
{
    const struct json_list list = { 0, 0, strlen(inside) };

    cr_assert_eq(json_split_count(inside, &list), expected, "%s", inside);
}

Test(json_split, elements_are_counted_by_their_commas)
{
    has_elements("", 0);
    has_elements(" \n\t\r", 0);
    has_elements("1", 1);
    has_elements("{\"a\":[1,2]},\",\",[3,4] , 5", 4);
    has_elements(",", 2);
    has_elements("1,", 2);
    has_elements("[1", 1);
    has_elements("\"a,", 1);
}

Test(json_split, an_element_ends_at_its_comma)
{
    static const char text[] = "{\"a\":\"},\\\"\"},[1,2]";

    cr_assert_eq(json_split_element(text, 0, sizeof text - 1), 12);
    cr_assert_eq(json_split_element(text, 13, sizeof text - 1), sizeof text - 1);
}
