/* test_envelope_body.c - which text a response's body is, if it is text. */

#include "message/envelope.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct buffer out;

static void
setup(void)
{
    buffer_init(&out, 1 << 20);
}

static void
teardown(void)
{
    buffer_free(&out);
}

TestSuite(envelope_body, .init = setup, .fini = teardown);

/*
 * The envelope of a body of that Content-Type (NULL: none) holds this between
 * `cookies` and `history`.
 */
static void
holds(enum response_body mode, const char *type, const char *bytes, size_t n, const char *expected)
{
    struct header header = { (char *)"Content-Type", (char *)type };
    struct request asked = { .response_body = mode };
    struct response r = { .head.headers = { &header, type != NULL, NULL } };
    char *start, *end;

    r.body = (struct buffer){ .data = (char *)bytes, .len = n };
    r.body_bytes = (int64_t)n;
    buffer_clear(&out);
    cr_assert_eq(envelope_write(&out, &asked, &r, -1), 0);
    start = strstr(out.data, "\"encoding\"");
    end = strstr(start, ",\"body_bytes\"");
    *end = '\0';
    cr_assert_str_eq(start, expected, "%s gave %s", type, start);
}

#define BYTES(literal) literal, sizeof literal - 1

Test(envelope_body, utf_8_needs_no_declaration)
{
    holds(BODY_AUTO, NULL, BYTES("h\xC3\xA9"), "\"encoding\":\"utf-8\",\"body\":\"h\xC3\xA9\"");
    holds(BODY_AUTO, "text/html", BYTES(""), "\"encoding\":\"utf-8\",\"body\":\"\"");
    holds(BODY_AUTO, NULL, BYTES("a\0b"), "\"encoding\":\"utf-8\",\"body\":\"a\\u0000b\"");
}

Test(envelope_body, what_is_not_text_is_base64)
{
    holds(BODY_AUTO, NULL, BYTES("\xFF\xD8"), "\"encoding\":null,\"body_base64\":\"/9g=\"");
    holds(BODY_AUTO, "text/plain; charset=utf-8", BYTES("\xFF\xD8"),
          "\"encoding\":\"utf-8\",\"body_base64\":\"/9g=\"");
}

Test(envelope_body, a_declared_charset_is_converted)
{
    holds(BODY_AUTO, "text/html; charset=ISO-8859-1", BYTES("\xE9\"\x80"),
          "\"encoding\":\"iso-8859-1\",\"body\":\"\xC3\xA9\\\"\xC2\x80\"");
    holds(BODY_AUTO, "text/html; charset=windows-1252", BYTES("\x80"),
          "\"encoding\":\"windows-1252\",\"body\":\"\xE2\x82\xAC\"");
    holds(BODY_AUTO, "text/html; charset=Shift_JIS", BYTES("\x93\xFA\x96\x7B"),
          "\"encoding\":\"shift_jis\",\"body\":\"\xE6\x97\xA5\xE6\x9C\xAC\"");
    holds(BODY_AUTO, "text/html; charset=utf-16le", BYTES("a\0\xAC\x20"),
          "\"encoding\":\"utf-16le\",\"body\":\"a\xE2\x82\xAC\"");
    holds(BODY_AUTO, "text/html; charset=iso-2022-jp", BYTES("\x1B$BF|\x1B(B"),
          "\"encoding\":\"iso-2022-jp\",\"body\":\"\xE6\x97\xA5\"");
}

Test(envelope_body, what_does_not_decode_as_declared_is_base64)
{
    holds(BODY_AUTO, "text/html; charset=us-ascii", BYTES("h\xC3\xA9"),
          "\"encoding\":\"us-ascii\",\"body_base64\":\"aMOp\"");
    holds(BODY_AUTO, "text/html; charset=shift_jis", BYTES("\x93"),
          "\"encoding\":\"shift_jis\",\"body_base64\":\"kw==\"");
    holds(BODY_AUTO, "text/html; charset=ucs4", BYTES("\0\x11\0\0"),
          "\"encoding\":\"ucs4\",\"body_base64\":\"ABEAAA==\"");
    holds(BODY_AUTO, "text/html; charset=nonsense", BYTES("abc"),
          "\"encoding\":\"nonsense\",\"body_base64\":\"YWJj\"");
}

Test(envelope_body, text_replaces_what_does_not_decode)
{
    holds(BODY_TEXT, NULL,
          BYTES("a\xFF"
                "b"),
          "\"encoding\":null,\"body\":\"a\xEF\xBF\xBD"
          "b\"");
    holds(BODY_TEXT, "text/plain; charset=utf-8", BYTES("\xE2\x82"),
          "\"encoding\":\"utf-8\",\"body\":\"\xEF\xBF\xBD\"");
    holds(BODY_TEXT, "text/html; charset=us-ascii",
          BYTES("a\xFF"
                "b"),
          "\"encoding\":\"us-ascii\",\"body\":\"a\xEF\xBF\xBD"
          "b\"");
    holds(BODY_TEXT, "text/html; charset=shift_jis", BYTES("\x93\xFA\x93"),
          "\"encoding\":\"shift_jis\",\"body\":\"\xE6\x97\xA5\xEF\xBF\xBD\"");
    holds(BODY_TEXT, "text/html; charset=ucs4", BYTES("\0\0\0a\0\x11\0\0\0\0\0b"),
          "\"encoding\":\"ucs4\",\"body\":\"a\xEF\xBF\xBD"
          "b\"");
    holds(BODY_TEXT, "text/html; charset=nonsense", BYTES("a\xFF"),
          "\"encoding\":\"nonsense\",\"body\":\"a\xEF\xBF\xBD\"");
}

Test(envelope_body, base64_is_base64_even_of_text)
{
    holds(BODY_BASE64, NULL, BYTES("abc"), "\"encoding\":\"utf-8\",\"body_base64\":\"YWJj\"");
    holds(BODY_BASE64, "text/html;charset=latin1", BYTES(""),
          "\"encoding\":\"latin1\",\"body_base64\":\"\"");
}

Test(envelope_body, none_is_no_body_at_all)
{
    holds(BODY_NONE, NULL, BYTES(""), "\"encoding\":null");
    holds(BODY_NONE, "text/html; charset=utf-8", BYTES(""), "\"encoding\":\"utf-8\"");
}
