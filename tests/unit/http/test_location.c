/* test_location.c - where a Location field leads, read as browsers read it. */

#include "http/location.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct row {
    const char *location, *text;
};

static const struct row rows[] = {
    { "/a", "http://h.test:8080/a" },
    { "a", "http://h.test:8080/dir/a" },
    { "../a", "http://h.test:8080/a" },
    { "../../../a", "http://h.test:8080/a" },
    { "?x", "http://h.test:8080/dir/page?x" },
    { "/a?", "http://h.test:8080/a?" },
    { "/a#frag", "http://h.test:8080/a" },
    { "  /a \r\n", "http://h.test:8080/a" },
    { "/a file.pdf", "http://h.test:8080/a%20file.pdf" },
    { "/a?b=c d", "http://h.test:8080/a?b=c%20d" },
    { "/a\tb\r\nc", "http://h.test:8080/abc" },
    { "\\a\\b", "http://h.test:8080/a/b" },
    { "/a?b=\\c", "http://h.test:8080/a?b=\\c" },
    { "http://other.test/x", "http://other.test/x" },
    { "HTTP://Other.test/x", "http://Other.test/x" },
    { "http:\\\\other.test\\x", "http://other.test/x" },
    { "http:////other.test/x", "http://other.test/x" },
    { "//other.test/x", "http://other.test/x" },
    { "https:/other.test/x", "https://other.test/x" },
    { "https:other.test/x", "https://other.test/x" },
    { "http:/x", "http://h.test:8080/x" },
    { "http:x", "http://h.test:8080/dir/x" },
    { "http:", "http://h.test:8080/dir/page?q" },
    { "HTTP:\t", "http://h.test:8080/dir/page?q" },
    { "ht\ttp://other.test/x", "http://other.test/x" },
    { "/caf\xe9", "http://h.test:8080/caf%E9" },
    { "/a\"b<c>`{}", "http://h.test:8080/a%22b%3Cc%3E%60%7B%7D" },
    { "/a%20b%2fc%", "http://h.test:8080/a%20b%2fc%" },
    { "http://user:pw@other.test/x", "http://other.test/x" },
    { "http://a@b.test:pw@other.test/x", "http://other.test/x" },
    { "http://a b\"[\xe9]@other.test/x", "http://other.test/x" },
    { "http://@other.test/x@y", "http://other.test/x@y" },
};

static struct url base;

static void
setup(void)
{
    struct failure err = { 0 };

    cr_assert_eq(url_parse(&base, "http://h.test:8080/dir/page?q#f", &err), 0);
}

static void
teardown(void)
{
    url_destroy(&base);
}

TestSuite(location, .init = setup, .fini = teardown);

Test(location, leads_where_browsers_go)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct failure err = { 0 };
        struct url next;

        cr_assert_eq(location_resolve(&next, &base, rows[i].location, &err), 0, "%s: %s",
                     rows[i].location, err.detail);
        cr_expect_str_eq(next.text, rows[i].text, "%s: %s", rows[i].location, next.text);
        url_destroy(&next);
    }
}

static void
fails(const char *location, enum error error)
{
    struct failure err = { 0 };
    struct url next;

    cr_assert_eq(location_resolve(&next, &base, location, &err), -1, "%s", location);
    cr_expect_eq(err.error, error, "%s: %s", location, err.detail);
}

Test(location, other_schemes_are_blocked)
{
    fails("ftp://other.test/", ERROR_BLOCKED);
    fails("file:///etc/passwd", ERROR_BLOCKED);
    fails("javascript:1", ERROR_BLOCKED);
    fails("java\tscript:1", ERROR_BLOCKED);
}

Test(location, what_is_no_url_is_the_origins_fault)
{
    fails("http://", ERROR_PROTOCOL_ERROR);
    fails("http://[::1", ERROR_PROTOCOL_ERROR);
    fails("http://a b/", ERROR_PROTOCOL_ERROR);
    fails("http://h:99999/", ERROR_PROTOCOL_ERROR);
    fails("//", ERROR_PROTOCOL_ERROR);
}

Test(location, blanks_alone_are_empty)
{
    cr_expect(location_is_empty(""));
    cr_expect(location_is_empty(" \t\r\n "));
    cr_expect(!location_is_empty(" / "));
}

/* "user password", with "-" for what is not there. */
static void
has_credentials(const char *at, const char *location, const char *expected)
{
    struct failure err = { 0 };
    struct url from, next;
    char found[64];

    cr_assert_eq(url_parse(&from, at, &err), 0);
    cr_assert_eq(location_resolve(&next, &from, location, &err), 0, "%s", err.detail);
    snprintf(found, sizeof found, "%s %s", next.user != NULL ? next.user : "-",
             next.password != NULL ? next.password : "-");
    cr_expect_str_eq(found, expected, "%s at %s: %s", location, at, found);
    url_destroy(&next);
    url_destroy(&from);
}

Test(location, keeps_user_and_password_at_the_origin)
{
    has_credentials("http://u:p@h.test/a", "/b", "u p");
    has_credentials("http://u:p@h.test/a", "http://H.test:80/b", "u p");
    has_credentials("http://u@h.test/a", "b", "u -");
    has_credentials("http://u:p@h.test/a", "http://@h.test/b", "u p");
    has_credentials("http://u:p@h.test/a", "http://x@h.test/b", "x -");
    has_credentials("http://u:p@h.test/a", "http://other.test/b", "- -");
    has_credentials("http://u:p@h.test/a", "https://h.test/b", "- -");
    has_credentials("http://u:p@h.test/a", "http://h.test:81/b", "- -");
    has_credentials("http://h.test/a", "http://x:y@other.test/b", "x y");
    has_credentials("http://h.test/a", "http://a@b.test:p@q@h.test/b", "a@b.test p@q");
    has_credentials("http://h.test/a", "/b", "- -");
}
