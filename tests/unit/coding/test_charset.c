/* test_charset.c - bytes in the charset that their sender named, as JSON text. */

#include "coding/charset.h"

#include <criterion/criterion.h>
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

TestSuite(charset, .init = setup, .fini = teardown);

/* -- conversion ---------------------------------------------------------- */

Test(charset, a_long_text_is_converted_piece_by_piece)
{
    static char text[100001];

    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = i % 10 == 0 ? '\xE9' : 'a';
    cr_assert(charset_add(&out, "iso-8859-1", text, sizeof text - 1));
    cr_assert_eq(out.len, 100000 + 10000 + 2);
    for (size_t i = 1, n = 0; n < 100000; n++) {
        size_t size = n % 10 == 0 ? 2 : 1;

        cr_assert_eq(strncmp(out.data + i, size == 2 ? "\xC3\xA9" : "a", size), 0, "at %zu", n);
        i += size;
    }
}

Test(charset, a_failed_conversion_leaves_no_trace)
{
    static char text[20000];

    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\xFF'; /* long after the first piece was written */
    buffer_adds(&out, "before");
    cr_assert_not(charset_add(&out, "us-ascii", text, sizeof text));
    buffer_add(&out, "", 0);
    cr_assert_str_eq(out.data, "before");
}

/* -- the declared charset ----------------------------------------------- */

static void
declares(const char *type, const char *expected)
{
    char name[CHARSET_SIZE] = "";
    bool found = charset_declared(name, type);

    cr_assert_eq(found, expected != NULL, "%s", type);
    if (found)
        cr_assert_str_eq(name, expected);
}

Test(charset, is_found_however_it_is_written)
{
    declares("text/html; charset=utf-8", "utf-8");
    declares("text/html;charset=UTF-8", "utf-8");
    declares("text/html ; \t Charset=\"Utf-8\" ; x=y", "utf-8");
    declares("text/html; charset='utf-8'", "utf-8");
    declares("text/html; x=\"; charset=latin1\"; charset=koi8-r", "koi8-r");
    declares("text/html; x=\"\\\"; charset=latin1\"; charset=koi8-r", "koi8-r");
    declares("text/html; boundary=a; charset=utf-8", "utf-8");
}

Test(charset, is_none_where_there_is_no_usable_one)
{
    declares("text/html", NULL);
    declares("", NULL);
    declares("text/html; charset=", NULL);
    declares("text/html; charset=\"\"", NULL);
    declares("text/html; xcharset=utf-8", NULL);
    declares("text/html; charset=utf-8//TRANSLIT", NULL);
    declares("text/html; charset=\xC3\xA9", NULL);
    declares("text/html; x=\"; charset=utf-8", NULL);
    declares("charset=utf-8", NULL);
}

Test(charset, has_at_most_63_bytes)
{
    char type[100] = "a/b;charset=";

    memset(type + 12, 'x', 63);
    declares(type, type + 12);
    type[75] = 'x';
    declares(type, NULL);
}

/* -- a response's head --------------------------------------------------- */

static void
head_gives(const char *text, const char *expected)
{
    buffer_clear(&out);
    charset_add_head(&out, text);
    cr_assert_str_eq(out.data, expected);
}

Test(charset, text_of_a_head_is_utf_8_or_else_latin_1)
{
    head_gives("caf\xC3\xA9", "\"caf\xC3\xA9\"");
    head_gives("caf\xE9", "\"caf\xC3\xA9\"");
    head_gives("", "\"\"");
    head_gives(NULL, "null");
}
