/* test_content_encoding.c - what Content-Encoding fields say: the codings to undo, in order. */

#include "http/content_encoding.h"

#include <criterion/criterion.h>
#include <string.h>

static struct headers head;
static struct content_encoding e;
static struct failure err;

static void
teardown(void)
{
    content_encoding_destroy(&e);
    headers_destroy(&head);
}

TestSuite(content_encoding, .fini = teardown);

static void
add_field(const char *name, const char *value)
{
    headers_add(&head, name, strlen(name), value, strlen(value));
}

/* "gzip br | x": gzip and br are to be undone, x remains. */
static void
check_parsed(const char *wanted)
{
    char text[200] = "";

    cr_assert_eq(content_encoding_parse(&e, &head, true, &err), 0, "%s", err.detail);
    for (int i = 0; i < e.count; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, content_encoding_name(e.codings[i]));
    }
    strcat(text, " | ");
    if (e.remaining.len > 0)
        strcat(text, e.remaining.data);
    cr_assert_str_eq(text, wanted);
}

static void
check(const char *value, const char *wanted)
{
    teardown();
    add_field("Content-Encoding", value);
    check_parsed(wanted);
}

Test(content_encoding, no_field_means_no_coding)
{
    add_field("Content-Type", "gzip");
    check_parsed(" | ");
}

Test(content_encoding, each_coding_has_its_name_in_any_case)
{
    check("gzip", "gzip | ");
    check("GZip", "gzip | ");
    check("x-gzip", "gzip | ");
    check("X-GZIP", "gzip | ");
    check("deflate", "deflate | ");
    check("br", "br | ");
    check("BR", "br | ");
    check("zstd", "zstd | ");
}

Test(content_encoding, a_list_has_the_order_of_application)
{
    check("gzip, br", "gzip br | ");
    check("br,gzip", "br gzip | ");
    check("zstd ,\t br,deflate , gzip", "zstd br deflate gzip | ");
}

Test(content_encoding, several_fields_are_one_list)
{
    add_field("Content-Encoding", "gzip");
    add_field("Vary", "br");
    add_field("content-encoding", "zstd, br");
    check_parsed("gzip zstd br | ");
}

Test(content_encoding, blanks_and_empty_elements_do_not_count)
{
    check("", " | ");
    check("  \t ", " | ");
    check(",,, ,", " | ");
    check(" , gzip ,, \t, br, ", "gzip br | ");
}

Test(content_encoding, names_that_change_no_byte_are_passed_over)
{
    check("identity", " | ");
    check("Identity", " | ");
    check("none", " | ");
    check("aws-chunked", " | ");
    check("UTF-8", " | ");
    check("utf8", " | ");
    check("ISO-8859-1", " | ");
    check("iso-8859-15", " | ");
    check("windows-1252", " | ");
    check("us-ascii", " | ");
    check("Shift_JIS", " | ");
    check("GBK", " | ");
    check("gzip, aws-chunked", "gzip | ");
    check("aws-chunked, gzip", "gzip | ");
    check("identity, gzip, utf-8, br, identity", "gzip br | ");
}

Test(content_encoding, an_unknown_coding_stays_with_all_below_it)
{
    check("base64", " | base64");
    check("binary", " | binary");
    check("compress", " | compress");
    check("gzip, base64", " | gzip, base64");
    check("base64, gzip", "gzip | base64");
    check("X-Gzip , Base64,br", "br | X-Gzip, Base64");
    check("utf-8, gzip, identity, dcb, zstd, gzip", "zstd gzip | gzip, dcb");
}

Test(content_encoding, a_name_that_only_begins_like_a_known_one_is_unknown)
{
    check("gzi", " | gzi");
    check("gzipped", " | gzipped");
    check("b", " | b");
    check("brotli", " | brotli");
    check("gzip;q=1", " | gzip;q=1");
    check("gzip br", " | gzip br");
    check("\"gzip\"", " | \"gzip\"");
    check("identity2", " | identity2");
    check("gbk2", " | gbk2");
}

Test(content_encoding, four_codings_are_taken_and_five_refused)
{
    check("gzip, gzip, gzip, gzip", "gzip gzip gzip gzip | ");
    check("br, br, br, br, br, base64, br, br, br, br", "br br br br | br, br, br, br, br, base64");

    teardown();
    add_field("Content-Encoding", "gzip, gzip, identity, gzip, gzip");
    add_field("Content-Encoding", "br");
    cr_assert_eq(content_encoding_parse(&e, &head, true, &err), -1);
    cr_assert_eq(err.error, ERROR_PROTOCOL_ERROR);
    cr_assert_str_eq(err.detail, "content-encoding: over 4 codings on top of each other");
}

Test(content_encoding, a_field_of_many_elements_is_no_more_than_its_last_ones)
{
    size_t n = 200000;
    char *value = malloc(n + 8);

    for (size_t i = 0; i < n; i += 2)
        memcpy(value + i, "x,", 2);
    memcpy(value + n, "gzip", 5);
    add_field("Content-Encoding", value);
    cr_assert_eq(content_encoding_parse(&e, &head, true, &err), 0);
    cr_assert_eq(e.count, 1);
    cr_assert_eq(e.remaining.len, n / 2 * 3 - 2, "all of them, with a comma and a blank between");
    free(value);
}
