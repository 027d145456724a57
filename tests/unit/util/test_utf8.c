/* test_utf8.c - is it UTF-8 (RFC 3629)? */

#include "util/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

/* A code point as the generalised encoding would write it, surrogates and all. */
static size_t
encode(char *to, unsigned c)
{
    if (c < 0x80)
        return to[0] = (char)c, 1;
    if (c < 0x800)
        return to[0] = (char)(0xC0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        return to[2] = (char)(0x80 | (c & 63)), 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    return to[3] = (char)(0x80 | (c & 63)), 4;
}

Test(utf8, every_code_point_is_valid_but_the_surrogates)
{
    for (unsigned c = 0; c < 0x120000; c++) {
        char text[4];
        size_t n = encode(text, c);
        bool right = c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);

        cr_assert_eq(utf8_valid(text, n), right, "U+%04X", c);
    }
}

Test(utf8, overlong_forms_strays_and_halves_are_broken)
{
    static const char *const broken[] = {
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xF0\x80\x80\x80",
        "\x80",
        "\xBF",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xFE",
        "\xFF",
        "\xC3\x28",
        "\xE2\x28\xA1",
        "\xF8\x88\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_assert_not(utf8_valid(broken[i], strlen(broken[i])), "case %zu", i);
}

Test(utf8, a_broken_byte_is_found_at_every_offset_of_a_word)
{
    char text[40];

    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = '\x80';
        cr_assert_eq(utf8_prefix(text, sizeof text), at);
    }
}

Test(utf8, nothing_is_valid_and_so_is_NUL)
{
    cr_assert(utf8_valid(NULL, 0));
    cr_assert(utf8_valid("", 0));
    cr_assert(utf8_valid("a\0b", 3));
}

Test(utf8, cut_never_halves_a_character)
{
    static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    static const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };

    for (size_t n = 0; n < sizeof kept / sizeof kept[0]; n++)
        cr_assert_eq(utf8_cut(text, n), kept[n], "%zu bytes", n);
}

Test(utf8, cut_of_stray_continuation_bytes_keeps_them)
{
    cr_assert_eq(utf8_cut("\x80\x80\x80\x80\x80", 5), 5);
    cr_assert_eq(utf8_cut("\x80", 1), 1);
}

/* As Python's bytes.decode("utf-8", "replace"). */
Test(utf8, replace_puts_one_mark_for_each_broken_sequence)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "plain", "plain" },
        { "\xC3\xA9", "\xC3\xA9" },
        { "a\xFF"
          "b",
          "a\xEF\xBF\xBD"
          "b" },
        { "\xF0\x9F\x98", "\xEF\xBF\xBD" },
        { "\xF0\x9F"
          "a",
          "\xEF\xBF\xBD"
          "a" },
        { "\xE2\x82\xE2\x82\xAC", "\xEF\xBF\xBD\xE2\x82\xAC" },
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b;

        buffer_init(&b, 100);
        utf8_replace(&b, cases[i].from, strlen(cases[i].from));
        cr_assert_str_eq(b.data, cases[i].to, "case %zu", i);
        buffer_free(&b);
    }
}
