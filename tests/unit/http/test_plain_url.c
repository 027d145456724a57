/* test_plain_url.c - URLs so plain that every parser reads them alike, read without libcurl's. */

#include "http/plain_url.h"
#include "http/url.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static void
check_same(const char *a, const char *b, const char *text, const char *what)
{
    cr_assert_eq(a == NULL, b == NULL, "%s of %s", what, text);
    if (a != NULL)
        cr_assert_str_eq(a, b, "%s of %s: %s, and by libcurl %s", what, text, a, b);
}

/* Taken, and libcurl makes the same of it. */
static void
takes(const char *text)
{
    struct url_parts parts;
    struct url ours, theirs;
    struct failure err = { 0 };

    cr_assert(plain_url_read(text, &parts), "%s", text);
    cr_assert_eq(url_parts_gather(&parts, &ours), 0);
    cr_assert_eq(url_parse_by_libcurl(&theirs, text, &err), 0, "%s: %s", text, err.detail);
    check_same(ours.text, theirs.text, text, "text");
    check_same(ours.scheme, theirs.scheme, text, "scheme");
    check_same(ours.host, theirs.host, text, "host");
    check_same(ours.path, theirs.path, text, "path");
    check_same(ours.user, theirs.user, text, "user");
    check_same(ours.password, theirs.password, text, "password");
    check_same(ours.origin, theirs.origin, text, "origin");
    cr_assert_eq(ours.port, theirs.port, "%s", text);
    url_destroy(&ours);
    url_destroy(&theirs);
}

static void
leaves(const char *text)
{
    struct url_parts parts;

    cr_assert_not(plain_url_read(text, &parts), "%s is libcurl's to read", text);
}

Test(plain_url, usual_urls_are_read_as_libcurl_reads_them)
{
    static const char *const urls[] = {
        "http://a/",
        "https://api.example.com/v1/items/17?page=2&sort=-name",
        "http://example.com:8080/a.b/c_d/~e/",
        "https://example.com:443/",
        "http://example.com:80/x",
        "http://127.0.0.1:1/file.txt",
        "http://192.0.2.255/",
        "http://a-b.c9/!$&()*+,;=:@",
        "http://a/?q",
        "http://a//b//c",
        "http://a/b..c/d.",
        "http://1a.b/",
        "http://1.2.3.com/",
        "http://a.b:65535/?x=%2F%20%AF&y=?/",
    };

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        takes(urls[i]);
}

Test(plain_url, each_character_of_a_path_and_a_query_is_read_as_libcurl_reads_it)
{
    struct url_parts parts;
    char text[64];
    int taken = 0;

    for (int c = 1; c < 256; c++) {
        snprintf(text, sizeof text, "http://a/x%cy", c);
        if (plain_url_read(text, &parts)) {
            takes(text);
            taken++;
        }
        snprintf(text, sizeof text, "http://a/?x%cy", c);
        if (plain_url_read(text, &parts))
            takes(text);
        snprintf(text, sizeof text, "http://a%cb/", c);
        if (plain_url_read(text, &parts))
            takes(text);
    }
    cr_assert_gt(taken, 70);
}

Test(plain_url, all_that_parsers_may_differ_about_is_left_to_libcurl)
{
    static const char *const urls[] = {
        "",
        "a",
        "http:",
        "http://",
        "http:///",
        "http://a",
        "http://a?x",
        "HTTP://a/",
        "ftp://a/",
        "http://A/",
        "http://user@a/",
        "http://user:pass@a/",
        "http://a:b@c/",
        "http://a/#part",
        "http://a/?x#part",
        "http://a/?",
        "http://a/./b",
        "http://a/../b",
        "http://a/.b",
        "http://a/b%2e",
        "http://a/?x=%2f",
        "http://a/?x=%",
        "http://a/?x=%G0",
        "http://a/ b",
        "http://a/\x7f",
        "http://a/\xc3\xa4",
        "http://\xc3\xa4/",
        "http://a\\b/",
        "http://a/\\b",
        "http://[::1]/",
        "http://a./",
        "http://.a/",
        "http://a..b/",
        "http://-a/",
        "http://a_b/",
        "http://xn--4ca/",
        "http://b.xn--4ca/",
        "http://a:/",
        "http://a:0/",
        "http://a:080/",
        "http://a:65536/",
        "http://a:999999/",
        "http://a:8x/",
        "http://1/",
        "http://127.1/",
        "http://127.0.0.256/",
        "http://127.0.0.01/",
        "http://127.0.0.1.2/",
        "http://127.0.0.1.",
        "http://0x7f.0.0.1/",
        "http://a.0x7f/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.0.0.1a/",
    };

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        leaves(urls[i]);
}

Test(plain_url, labels_and_hosts_have_the_lengths_of_dns)
{
    char label[65] = "", text[400];

    memset(label, 'a', 63);
    snprintf(text, sizeof text, "http://%s/", label);
    takes(text);
    label[63] = 'a';
    snprintf(text, sizeof text, "http://%s/", label);
    leaves(text);
    label[61] = '\0';
    snprintf(text, sizeof text, "http://%s.%s.%s.%s.aaaaa/", label, label, label, label);
    takes(text);
    snprintf(text, sizeof text, "http://%s.%s.%s.%s.aaaaaa/", label, label, label, label);
    leaves(text);
}
