/* test_json_text.c - JSON strings and numbers, written straight into a buffer. */

#include "util/json_text.h"

#include "message/json.h"

#include <criterion/criterion.h>
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

TestSuite(json_text, .init = setup, .fini = teardown);

Test(json_text, text_is_escaped_where_it_must_be_and_only_there)
{
    static const char from[] = "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xC3\xA9\xF0\x9F\x98\x80";

    json_text_add(&out, from, sizeof from); /* with its NUL */

    cr_assert_str_eq(out.data, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xC3\xA9"
                               "\xF0\x9F\x98\x80\\u0000\"");
}

Test(json_text, every_character_comes_back_from_every_offset_of_a_word)
{
    for (int c = 1; c < 128; c++) {
        for (size_t at = 0; at < 9; at++) {
            char text[] = "aaaaaaaaaaaaaaaaaaaa";
            json_t *back;

            text[at] = (char)c;
            buffer_clear(&out);
            json_text_add(&out, text, sizeof text - 1);
            back = json_parse(out.data, out.len, &err);
            cr_assert_str_eq(json_string_value(back), text, "character %d at %zu", c, at);
            json_decref(back);
        }
    }
}

Test(json_text, long_text_of_nothing_but_escapes_comes_back)
{
    static char text[5000];
    json_t *back;

    memset(text, 1, sizeof text - 1);
    json_text_add(&out, text, sizeof text - 1);

    cr_assert_eq(out.len, 2 + 6 * (sizeof text - 1));
    back = json_parse(out.data, out.len, &err);
    cr_assert_str_eq(json_string_value(back), text);
    json_decref(back);
}

Test(json_text, text_is_written_to_exactly_the_buffers_limit)
{
    struct buffer small;

    buffer_init(&small, 8);
    json_text_add(&small, "abcd\n", 5);
    cr_assert(buffer_ok(&small));
    cr_assert_str_eq(small.data, "\"abcd\\n\"");
    buffer_clear(&small);
    json_text_add(&small, "abcde\n", 6);
    cr_assert_not(buffer_ok(&small));
    buffer_free(&small);
}

Test(json_text, seconds_are_rounded_to_the_microsecond)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "0.0" },
        { 0.012, "0.012" },
        { 0.0123456, "0.012346" },
        { 1, "1.0" },
        { 12.5, "12.5" },
        { 0.9999999, "1.0" },
        { 1e-7, "0.0" },
        { -1, "0.0" },
        { 86400.000001, "86400.000001" },
        { 0.1 + 0.2, "0.3" },
        { 0.000001, "0.000001" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&out);
        json_text_add_seconds(&out, cases[i].seconds);
        cr_assert_str_eq(out.data, cases[i].text);
    }
}

static void
line(const char *text, const char *expected)
{
    buffer_clear(&out);
    json_text_add_line(&out, text);
    cr_assert_str_eq(out.data, expected);
}

Test(json_text, a_line_stays_one_line_whatever_its_reader_takes_for_a_break)
{
    line("", "\"\"");
    line("a\nb\r\tc", "\"a\\u000ab\\u000d\\u0009c\"");
    line("\x7f\x01", "\"\\u007f\\u0001\"");
    line("\xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9", "\"\\u0085 \\u2028 \\u2029\"");
    line("q\"s\\ \xC3\xA9", "\"q\\\"s\\\\ \xC3\xA9\"");
}

Test(json_text, what_is_not_utf_8_is_taken_for_latin_1_in_a_line)
{
    line("\xe9\xc2\x85", "\"\\u00e9\\u00c2\\u0085\"");
}
