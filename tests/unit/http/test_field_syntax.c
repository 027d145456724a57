/* test_field_syntax.c - what a header field's name and value may hold. */

#include "http/field_syntax.h"

#include <criterion/criterion.h>

Test(field_syntax, a_token_has_letters_digits_and_some_marks)
{
    cr_assert(field_syntax_is_token("X-Odd_1.2!#$%&'*+^`|~"));
    cr_assert_not(field_syntax_is_token(""));
    cr_assert_not(field_syntax_is_token("X Odd"));
    cr_assert_not(field_syntax_is_token("X-Odd "));
    cr_assert_not(field_syntax_is_token(" X-Odd"));
    cr_assert_not(field_syntax_is_token("X(Odd)"));
    cr_assert_not(field_syntax_is_token("X\tOdd"));
    cr_assert_not(field_syntax_is_token("caf\xe9"));
}

static void
becomes(const char *value, const char *expected)
{
    struct buffer b;

    buffer_init(&b, SIZE_MAX / 2);
    buffer_adds(&b, "");
    field_syntax_add_value(&b, value);
    buffer_addc(&b, '.');
    cr_assert_str_eq(b.data, expected);
    buffer_free(&b);
}

Test(field_syntax, a_control_character_becomes_a_blank)
{
    becomes("", ".");
    becomes("plain text", "plain text.");
    becomes("a\rb", "a b.");
    becomes("a\r\nSet-Cookie: x", "a  Set-Cookie: x.");
    becomes("\x01\x1f\x7f", "   .");
    becomes("a\tb", "a\tb.");
    becomes("caf\xe9 \xc3\xa9 \x85", "caf\xe9 \xc3\xa9 \x85.");
}
