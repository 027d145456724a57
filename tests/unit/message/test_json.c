/* test_json.c - reading JSON strictly, and writing any value. */

#include "message/json.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct failure err;
static struct buffer out;

static void
setup(void)
{
    err = (struct failure){ 0 };
    buffer_init(&out, 1 << 20);
    buffer_add(&out, "", 0);
}

static void
teardown(void)
{
    buffer_free(&out);
}

TestSuite(json, .init = setup, .fini = teardown);

static void
refused(const char *text, size_t n, const char *detail)
{
    struct failure f = { 0 };
    json_t *root = json_parse(text, n, &f);

    cr_assert_null(root, "%s", text);
    cr_assert_eq(f.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(f.detail, detail);
}

/* Parse, write, and compare: most of what JSON is comes back as it was. */
static void
written_as(const char *text, const char *expected)
{
    json_t *root = json_parse(text, strlen(text), &err);

    cr_assert_not_null(root, "%s: %s", text, err.detail);
    buffer_clear(&out);
    json_add_value(&out, root);
    json_decref(root);
    cr_assert_str_eq(out.data, expected);
}

/* -- reading ------------------------------------------------------------ */

/* A document of so many nested lists, or objects. */
static void
nest(struct buffer *b, const char *open, const char *close, int levels)
{
    buffer_clear(b);
    for (int i = 0; i < levels; i++)
        buffer_adds(b, open);
    buffer_adds(b, *open == '[' ? "" : "null");
    for (int i = 0; i < levels; i++)
        buffer_adds(b, close);
}

Test(json, sixty_four_levels_are_read)
{
    json_t *root;

    nest(&out, "[", "]", JSON_DEPTH_MAX);
    root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root, "%s", err.detail);
    json_decref(root);

    nest(&out, "{\"a\":", "}", JSON_DEPTH_MAX);
    root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root, "%s", err.detail);
    json_decref(root);
}

Test(json, sixty_five_levels_are_refused_with_line_and_column)
{
    nest(&out, "[", "]", JSON_DEPTH_MAX + 1);
    refused(out.data, out.len, "line 1, column 65: nested deeper than 64 levels");

    nest(&out, "{\"a\":\n", "}", JSON_DEPTH_MAX + 1);
    refused(out.data, out.len, "line 65, column 1: nested deeper than 64 levels");
}

Test(json, a_million_levels_cost_no_stack)
{
    nest(&out, "[", "", 1000000);
    refused(out.data, out.len, "line 1, column 65: nested deeper than 64 levels");
}

Test(json, brackets_inside_strings_are_no_levels)
{
    buffer_adds(&out, "[\"\\\\\\\"");
    for (int i = 0; i < 100; i++)
        buffer_adds(&out, "[{");
    buffer_adds(&out, "\"]");

    json_t *root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root, "%s", err.detail);
    json_decref(root);
}

Test(json, siblings_are_no_levels)
{
    buffer_adds(&out, "[0");
    for (int i = 0; i < 100; i++)
        buffer_adds(&out, ",[{}]");
    buffer_adds(&out, "]");

    json_t *root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root, "%s", err.detail);
    json_decref(root);
}

Test(json, a_key_given_twice_is_named_with_line_and_column)
{
    static const char plain[] = "{\"url\": 1,\n  \"url\": 2}";
    static const char deep[] = "{\"a\": {\"b\\\"\\\\\": 1, \"b\\\"\\\\\": 2}}";
    static const char many[] = "[{\"a_key_that_is_longer_than_twenty\":1,"
                               "\"a_key_that_is_longer_than_twenty\":1}]";

    refused(plain, strlen(plain), "line 2, column 3: duplicate key: \"url\"");
    refused(deep, strlen(deep), "line 1, column 20: duplicate key: \"b\\\"\\\\\"");
    refused(many, strlen(many),
            "line 1, column 40: duplicate key: \"a_key_that_is_longer_than_twenty\"");
}

Test(json, an_empty_key_given_twice_is_found_too)
{
    refused("{\"\":1,\"\":2}", 11, "line 1, column 7: duplicate key: \"\"");
}

Test(json, the_same_key_in_two_objects_is_fine)
{
    written_as("[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]");
}

Test(json, bytes_that_are_not_utf_8_are_refused_with_line_and_column)
{
    refused("{\"a\":\n\"\xC3\xA9\xFF\"}", 11, "line 2, column 3: not valid UTF-8");
    refused("\"\xED\xA0\x80\"", 5, "line 1, column 2: not valid UTF-8");
    refused("\"\xC3", 2, "line 1, column 2: not valid UTF-8");
}

Test(json, a_half_surrogate_escape_is_refused)
{
    cr_assert_null(json_parse("\"\\ud800\"", 8, &err));
    cr_assert_not_null(strstr(err.detail, "line 1"), "%s", err.detail);
}

Test(json, a_mistake_is_shown_with_line_and_column)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "", "line 1, column 1: " },
        { "{\"a\" 1}", "line 1, column 6: " },
        { "{\n\"a\": tru}", "line 2, column 8: " },
        { "{\"a\": 1} x", "line 1, column 10: " },
        { "[1,]", "line 1, column 4: " },
        { "{'a': 1}", "line 1, column 2: " },
        { "[01]", "line 1, column 2: " },
        { "[\"a", "line 1, column 3: " },
        { "[1e999]", "line 1, column 6: " },
        { "[NaN]", "line 1, column 4: " },
        { "[99999999999999999999]", "line 1, column 21: " },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct failure f = { 0 };

        cr_assert_null(json_parse(cases[i].text, strlen(cases[i].text), &f), "%s", cases[i].text);
        cr_assert_eq(f.error, ERROR_BAD_REQUEST);
        cr_assert_eq(strncmp(f.detail, cases[i].where, strlen(cases[i].where)), 0, "%s gave %s",
                     cases[i].text, f.detail);
    }
}

Test(json, nothing_at_all_is_a_mistake_in_line_1)
{
    cr_assert_null(json_parse(NULL, 0, &err));
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_eq(strncmp(err.detail, "line 1, column 1: ", 18), 0, "%s", err.detail);
}

Test(json, a_NUL_in_a_string_is_read_and_in_a_key_refused)
{
    json_t *root = json_parse("\"a\\u0000b\"", 10, &err);

    cr_assert_eq(json_string_length(root), 3);
    json_decref(root);
    cr_assert_null(json_parse("{\"a\\u0000b\": 1}", 15, &err));
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
}

/* -- writing ------------------------------------------------------------ */

Test(json, values_are_written_compact_and_in_order)
{
    written_as("{ \"b\" : [ 1 , true , false , null ] ,\n\"a\" : { } , \"\" : [ ] }",
               "{\"b\":[1,true,false,null],\"a\":{},\"\":[]}");
}

Test(json, numbers_come_back_as_they_were)
{
    written_as("[0,-1,9223372036854775807,-9223372036854775808]",
               "[0,-1,9223372036854775807,-9223372036854775808]");
    written_as("[19.99,0.1,1.5,-2.0,1e300,0.30000000000000004,5e-324]",
               "[19.99,0.1,1.5,-2.0,1e300,0.30000000000000004,4.94065645841247e-324]");
}

/* As 15, 16 or 17 digits say, whichever is the first to read back as the same number. */
static void
written_shortest(double x)
{
    char text[40], expected[48];
    json_t *value = json_real(x);

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) {
            size_t n = json_dumpb(value, expected, sizeof expected - 1,
                                  JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits));

            expected[n] = '\0';
            break;
        }
    }
    buffer_clear(&out);
    json_add_value(&out, value);
    json_decref(value);
    cr_assert_str_eq(out.data, expected);
}

Test(json, a_real_is_the_shortest_text_that_reads_back_as_the_same_number)
{
    static const double odd[] = { 0.0,
                                  -0.0,
                                  1e-4,
                                  9.99e-5,
                                  0.1 + 0.2,
                                  1e14,
                                  1e15,
                                  1e16,
                                  1e17,
                                  1e21,
                                  1e22,
                                  1e23,
                                  1e100,
                                  5e-324,
                                  1.7e308,
                                  123e-7,
                                  1.0,
                                  -1.0,
                                  100.0,
                                  99.99,
                                  1e13,
                                  1 / 3.0,
                                  2 / 3.0,
                                  0.5,
                                  1e-10,
                                  -1e99,
                                  1e9,
                                  123456789012345.0,
                                  12345678901234.5,
                                  0.00012345678901234,
                                  9007199254740993.0,
                                  4503599627370497.5,
                                  99999999999999.9 };
    uint64_t random = 1;

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        written_shortest(odd[i]);
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        written_shortest((double)(int64_t)(random >> 20) / (i % 2 == 0 ? 1e7 : 1e12));
        written_shortest((double)(random >> 40) / 100);
        written_shortest((double)(random >> 11) * 0x1p-53);
    }
}

Test(json, a_locale_with_decimal_commas_changes_nothing)
{
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
        setlocale(LC_NUMERIC, "C.UTF-8"); /* not installed: then this is the test above */
    written_as("[19.99]", "[19.99]");
}

/* -- limits -------------------------------------------------------------- */

Test(json, a_tree_over_its_limit_is_too_large_and_says_what_to_do)
{
    json_t *root;

    buffer_clear(&out);
    buffer_adds(&out, "[{}");
    for (int i = 0; i < 20000; i++)
        buffer_adds(&out, ",{}");
    buffer_adds(&out, "]");
    root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root, "%s", err.detail);
    json_decref(root);

    json_set_limit(1); /* at least 1 MiB */
    cr_assert_null(json_parse(out.data, out.len, &err));
    cr_assert_eq(err.error, ERROR_REQUEST_TOO_LARGE);
    cr_assert_not_null(strstr(err.detail, "limits.request_bytes"), "%s", err.detail);
    cr_assert_not_null(strstr(err.detail, "1048576 bytes"), "%s", err.detail);
    cr_assert_not_null(strstr(err.detail, "\"body\""), "%s", err.detail);
    json_set_limit(INT64_MAX);
    root = json_parse(out.data, out.len, &err);
    cr_assert_not_null(root);
    json_decref(root);
}
