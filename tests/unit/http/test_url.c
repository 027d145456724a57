/* test_url.c - which URLs can be fetched, and the origin a URL belongs to. */

#include "http/url.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct url u;
static struct failure err;

static void
setup(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* as the daemon does */
}

static void
teardown(void)
{
    url_destroy(&u);
}

TestSuite(url, .init = setup, .fini = teardown);

/* Parsed afresh, with success. */
static void
takes(const char *text)
{
    url_destroy(&u);
    err = (struct failure){ 0 };
    cr_assert_eq(url_parse(&u, text, &err), 0, "%s: %s", text, err.detail);
}

static void
refuses(const char *text, const char *detail)
{
    url_destroy(&u);
    err = (struct failure){ 0 };
    cr_assert_eq(url_parse(&u, text, &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_URL, "%s", text);
    cr_assert_not_null(strstr(err.detail, detail), "%s gave: %s", text, err.detail);
    cr_assert_null(u.text, "nothing is left of it");
}

Test(url, comes_apart_into_what_the_engine_needs)
{
    takes("https://user:pass@Example.COM:8443/a/b?x=1&y#part");

    cr_assert_str_eq(u.scheme, "https");
    cr_assert_str_eq(u.host, "example.com");
    cr_assert_eq(u.port, 8443);
    cr_assert_str_eq(u.path, "/a/b");
    cr_assert_str_eq(u.user, "user");
    cr_assert_str_eq(u.password, "pass");
    cr_assert_str_eq(u.origin, "https://example.com:8443");
}

Test(url, its_text_holds_neither_credentials_nor_fragment)
{
    takes("http://user:pass@a.example/x?q#part");

    cr_assert_str_eq(u.text, "http://a.example/x?q");
}

Test(url, a_default_port_and_the_same_one_written_out_are_one_origin)
{
    takes("http://a.example/");
    cr_assert_str_eq(u.origin, "http://a.example:80");
    takes("http://A.example:80/b");
    cr_assert_str_eq(u.origin, "http://a.example:80");
    takes("https://a.example");
    cr_assert_str_eq(u.origin, "https://a.example:443");
    cr_assert_str_eq(u.path, "/");
    takes("https://a.example:/");
    cr_assert_str_eq(u.origin, "https://a.example:443");
}

Test(url, the_scheme_is_written_out_in_any_case)
{
    takes("HTTP://a.example/");
    cr_assert_str_eq(u.scheme, "http");
    refuses("a.example/", "must begin with http:// or https://");
    refuses("//a.example/", "must begin with http");
    refuses("http:/a.example/", "must begin with http");
    refuses("http:a.example/", "must begin with http");
    refuses("", "must begin with http");
    refuses("ftp://a.example/", "must begin with http");
    refuses("file:///etc/passwd", "must begin with http");
    refuses(" http://a.example/", "must begin with http");
    refuses("httpx://a.example/", "must begin with http");
}

Test(url, ports_from_1_to_65535)
{
    takes("http://a.example:1/");
    cr_assert_eq(u.port, 1);
    takes("http://a.example:65535/");
    cr_assert_eq(u.port, 65535);
    refuses("http://a.example:0/", "port");
    refuses("http://a.example:00/", "port");
    refuses("http://a.example:65536/", "ort");
    refuses("http://a.example:4294967376/", "ort");
    refuses("http://a.example:-1/", "ort");
    refuses("http://a.example:80x/", "ort");
}

Test(url, a_space_or_control_character_is_refused)
{
    refuses("http://a.example/a b", "contains a space or control");
    refuses("http://a.example/\r\nHost: b", "contains a space or control");
    refuses("http://a.example/\t", "contains a space or control");
    refuses("http://a.example/\x7f", "contains a space or control");
    refuses("http://a.exa\nmple/", "contains a space or control");
}

Test(url, bytes_beyond_ASCII_in_path_and_query_are_percent_encoded)
{
    takes("http://a.example/caf\u00e9?q=\u00e9");

    cr_assert_eq(strcasecmp(u.text, "http://a.example/caf%C3%A9?q=%C3%A9"), 0, "%s", u.text);
}

Test(url, what_is_percent_encoded_stays_so)
{
    takes("http://a.example/%2e%2E/%00?%0d%0a");

    cr_assert_not_null(strstr(u.text, "%00"), "%s", u.text);
    cr_assert_null(strpbrk(u.text, "\r\n"));
}

Test(url, 64_KiB_are_taken_and_one_byte_more_is_not)
{
    char *text = malloc(65538);

    memset(text, 'a', 65537);
    memcpy(text, "http://a.example/", 17);
    text[65536] = '\0';
    takes(text);
    cr_assert_eq(strlen(u.text), 65536);
    text[65536] = 'a';
    text[65537] = '\0';
    refuses(text, "longer than 65536 bytes");
    free(text);
}

Test(url, a_host_is_needed)
{
    refuses("http://", "");
    refuses("http:///path", "");
    refuses("http://:80/", "");
    refuses("http://user@/", "");
    refuses("http://[]/", "");
    refuses("http://[::1/", "");
    refuses("http://a b/", "contains a space or control");
    refuses("http://%00/", "");
}

Test(url, an_IPv6_host_stands_without_brackets_and_the_origin_with_them)
{
    takes("http://[2001:DB8::1]:81/");

    cr_assert_str_eq(u.host, "2001:db8::1");
    cr_assert_str_eq(u.origin, "http://[2001:db8::1]:81");
    cr_assert_eq(strcasecmp(u.text, "http://[2001:db8::1]:81/"), 0);
}

Test(url, the_many_ways_to_write_an_IPv4_address_are_one_host)
{
    static const char *const ways[] = { "127.0.0.1",  "2130706433", "0x7f000001",
                                        "0177.0.0.1", "127.1",      "0x7f.1" };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char text[64];

        snprintf(text, sizeof text, "http://%s/", ways[i]);
        takes(text);
        cr_assert_str_eq(u.host, "127.0.0.1", "%s", text);
        cr_assert_str_eq(u.origin, "http://127.0.0.1:80", "%s", text);
    }
}

Test(url, an_international_name_is_judged_as_it_is_looked_up)
{
    takes("http://b\u00fccher.example/");
    cr_assert_str_eq(u.host, "xn--bcher-kva.example");
    cr_assert_str_eq(u.origin, "http://xn--bcher-kva.example:80");
}

/* However they are hidden: the origin is the key of pools and limits. */
Test(url, digits_that_are_encoded_or_of_full_width_are_the_address_they_come_to)
{
    static const char *const ways[] = { "\uff11\uff12\uff17.0.0.1",
                                        "\uff11\uff12\uff17.1",
                                        "%31%32%37.0.0.1",
                                        "%31%32%37.1",
                                        "%32130706433",
                                        "user:p%40ss@%31%32%37.1" };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char text[64];

        snprintf(text, sizeof text, "http://%s:81/a%%20b", ways[i]);
        takes(text);
        cr_assert_str_eq(u.origin, "http://127.0.0.1:81", "%s", text);
        cr_assert_str_eq(u.text, "http://127.0.0.1:81/a%20b", "%s", text);
    }
    cr_assert_str_eq(u.password, "p@ss");
}

Test(url, a_host_encoded_twice_or_of_nothing_is_refused)
{
    /* in our words, or in those of a newer libcurl, which finds it first */
    refuses("http://interna%256c.example/", "host");
    refuses("http://a%25/", "host");
    refuses("http://\u034f/evil.example", "host"); /* a name of which nothing is left */
    takes("http://interna%6c.example/");
    cr_assert_str_eq(u.host, "internal.example");
}

Test(url, an_international_name_is_refused_or_mapped_in_the_C_locale_too)
{
    setlocale(LC_CTYPE, "C");
    err = (struct failure){ 0 };
    if (url_parse(&u, "http://\uff11\uff12\uff17.0.0.1/", &err) == 0)
        cr_assert_str_eq(u.host, "127.0.0.1");
    else
        cr_assert_eq(err.error, ERROR_BAD_URL);
}

Test(url, user_and_password_come_decoded)
{
    takes("http://us%65r:p%40ss%3A@a.example/");

    cr_assert_str_eq(u.user, "user");
    cr_assert_str_eq(u.password, "p@ss:");
}

Test(url, the_last_at_sign_ends_the_credentials)
{
    takes("http://a.example@b.example/");
    cr_assert_str_eq(u.host, "b.example");
    cr_assert_str_eq(u.user, "a.example");
}

Test(url, an_empty_user_with_an_empty_password_is_none)
{
    static const char *const none[] = { "http://@a.example/", "http://:@a.example/" };

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        takes(none[i]);
        cr_expect(u.user == NULL && u.password == NULL, "%s", none[i]);
    }
    takes("http://:p@a.example/");
    cr_assert_str_eq(u.password, "p");
}

/* A browser would go to a.example, libcurl to b.example. */
Test(url, a_backslash_before_the_path_is_refused)
{
    refuses("http://a.example\\@b.example/", "backslash");
    refuses("http://a.example\\/x", "backslash");
    refuses("http://\\a.example/", "backslash");
    takes("http://a.example/x\\y");
}

/* -- where the host ends, as browsers read it (WHATWG URL Standard) ------------- */

static void
goes_to(const char *text, const char *host)
{
    takes(text);
    cr_expect_str_eq(u.host, host, "%s: %s", text, u.host);
}

Test(url, the_host_ends_where_browsers_end_it)
{
    goes_to("http://a.test#@b.test/", "a.test");
    goes_to("http://a.test?@b.test/", "a.test");
    goes_to("http://a.test/@b.test/", "a.test");
    goes_to("http://a.test;@b.test/", "b.test");
    goes_to("http://a.test:@b.test/", "b.test");
    goes_to("http://a.test:80@b.test/", "b.test");
    goes_to("http://a.test%5c@b.test/", "b.test");
    goes_to("http://a.test%2f@b.test/", "b.test");
    goes_to("hTTps://A.TEST:/", "a.test");
    goes_to("http://a.test./", "a.test.");
    goes_to("http://%61.test/", "a.test");
    goes_to("http://a。b．c｡test/", "a.b.c.test");
    goes_to("http://[fe80::1%25lo]/", "fe80::1");
}

Test(url, what_browsers_refuse_in_a_host_is_refused)
{
    static const char *const bad[] = {
        "http://a.test\\@b.test/",
        "http://a.test:80\\@b.test/",
        "http://u\\:p@a.test/",
        "http:\\\\a.test/",
        "http:/\\a.test/",
        "http:/a.test/",
        "http:a.test/",
        "//a.test/",
        "http:///a.test/",
        "http://?a.test",
        "http://#a.test",
        "http://@/",
        "http://:80/",
        "http://a.test@/",
        "\thttp://a.test/",
        "ht\ntp://a.test/",
        "http://a\t.test/",
        "http://a.test\r\n/",
        "http:// a.test/",
        "http://a.test%00b.test/",
        "http://a.test%0a/",
        "http://a.test%20/",
        "http://a.test%2fb.test/",
        "http://a.test%5cb.test/",
        "http://a.test%40b.test/",
        "http://a.test%23b.test/",
        "http://a.test%3fb.test/",
        "http://a.test%3a80/",
        "http://a.test%25/",
        "http://a.test%2561/",
        "http://a.test／b.test/",
        "http://a.test＠b.test/",
        "http://a.test＃b.test/",
        "http://a.test？b.test/",
        "http://a.test：80/",
        "http://a.test＼b.test/",
        "http://a.tes℀b.test/",
        "http://a.tes℅b.test/",
        "http://a.test%EF%BC%A0b.test/",
        "http://a.test:80:80/",
        "http://a.test:+80/",
        "http://a.test:0x50/",
        "http://::1/",
        "http://[::1/",
        "http://[::1]a/",
        "http://a[::1]/",
        "http://a\u202eb.test/",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(bad[i], "url: ");
}

Test(url, an_empty_query_stays)
{
    takes("http://a.example/x?");
    cr_assert_str_eq(u.text, "http://a.example/x?");
    takes("http://a.example/x?#f");
    cr_assert_str_eq(u.text, "http://a.example/x?");
    takes("http://a.example/x");
    cr_assert_str_eq(u.text, "http://a.example/x");
}

Test(url, can_be_destroyed_twice)
{
    takes("http://a.example/");
    url_destroy(&u);
    url_destroy(&u);
    cr_assert_null(u.text);
}

Test(url, a_text_that_was_normalised_stays_what_it_is)
{
    static const char *const texts[] = { "http://a.example", "https://A.example:443/../b/./c",
                                         "http://[::ffff:127.0.0.1]/", "http://a.example?x" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *once;

        takes(texts[i]);
        once = strdup(u.text);
        takes(once);
        cr_assert_str_eq(u.text, once);
        free(once);
    }
}

/* -- proxies ------------------------------------------------------------- */

static void
proxy_is(const char *proxy, const char *host, int port)
{
    char *found;
    int p;

    err = (struct failure){ 0 };
    found = url_proxy_host(proxy, &p, &err);
    cr_assert_not_null(found, "%s: %s", proxy, err.detail);
    cr_assert_str_eq(found, host);
    cr_assert_eq(p, port, "%s: %d", proxy, p);
    free(found);
}

static void
proxy_is_none(const char *proxy)
{
    int port;

    err = (struct failure){ 0 };
    cr_assert_null(url_proxy_host(proxy, &port, &err), "%s", proxy);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST, "%s", proxy);
    cr_assert_eq(strncmp(err.detail, "proxy: ", 7), 0, "%s", err.detail);
}

Test(url, a_proxy_has_a_usual_port)
{
    cr_assert_eq(url_proxy_usual_port("http://p.example:3128"), 1080);
    cr_assert_eq(url_proxy_usual_port("HTTPS://p.example"), 443);
    cr_assert_eq(url_proxy_usual_port("socks5://p.example"), 1080);
}

Test(url, a_proxy_has_one_of_six_schemes_a_host_and_a_port)
{
    proxy_is("http://P.example:3128", "p.example", 3128);
    proxy_is("http://p.example", "p.example", 1080);
    proxy_is("https://p.example", "p.example", 443);
    proxy_is("socks4://127.0.0.1", "127.0.0.1", 1080);
    proxy_is("socks4a://p.example:9", "p.example", 9);
    proxy_is("socks5://127.0.0.1:1080", "127.0.0.1", 1080);
    proxy_is("SOCKS5H://[::1]:65535", "::1", 65535);
    proxy_is("http://user:pass@p.example:1/", "p.example", 1);
    proxy_is_none("p.example:3128");
    proxy_is_none("http://p.example:0");
    proxy_is_none("http://p.example:65536");
    cr_assert_str_eq(err.detail, "proxy: the port must be from 1 to 65535");
    proxy_is_none("socks4p://p.example");
    proxy_is_none("ftp://p.example");
    proxy_is_none("http://");
    proxy_is_none("http://:80");
    proxy_is_none("");
}

/* libcurl would go without it, and say nothing. */
Test(url, a_proxys_user_and_password_have_no_control_characters)
{
    static const char *const proxies[] = { "http://u%0d%0aX:p@p.example:1",
                                           "http://u:%00@p.example", "socks5h://%01@p.example",
                                           "https://u:%1f@p.example" };

    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++) {
        proxy_is_none(proxies[i]);
        cr_assert_str_eq(err.detail, "proxy: user or password contains a control character");
    }
    proxy_is("http://u%20:%7f%c3%a9@p.example:1", "p.example", 1);
    proxy_is("http://:@p.example:1", "p.example", 1);
}

static void
userinfo_is(const char *proxy, const char *expected)
{
    const struct url_piece found = url_proxy_userinfo(proxy);

    cr_assert_eq(found.n, strlen(expected), "%s: %zu", proxy, found.n);
    cr_assert_eq(memcmp(found.bytes, expected, found.n), 0, "%s", proxy);
}

Test(url, a_proxys_user_and_password_stand_before_its_host)
{
    static const char *const without[] = { "http://h:1",   "http://h/u@x",  "http://h?u@x",
                                           "http://h#u@x", "http:///h/u@x", "h",
                                           "u@h" };

    userinfo_is("http://u:p@h:1", "u:p");
    userinfo_is("socks5h://@h", "");
    userinfo_is("http://u@h/x@y?a@b#c@d", "u");
    userinfo_is("http://u:p@v@h", "u:p@v"); /* libcurl refuses it; a secret all the same */
    userinfo_is("http:///u:p@h", "u:p");
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        cr_assert_null(url_proxy_userinfo(without[i]).bytes, "%s", without[i]);
}

static void
libcurl_gets(const char *proxy, const char *expected)
{
    char *text = url_proxy_for_libcurl(proxy);

    cr_assert_str_eq(text, expected);
    free(text);
}

Test(url, a_socks_proxy_resolves_the_target_itself)
{
    libcurl_gets("socks5://u:p@h:1", "socks5h://u:p@h:1");
    libcurl_gets("SOCKS4://h:1", "socks4a://h:1");
    libcurl_gets("socks4a://h:1", "socks4a://h:1");
    libcurl_gets("socks5h://h", "socks5h://h");
    libcurl_gets("http://socks5://h", "http://socks5://h");
    cr_assert(url_has_proxy_scheme("Socks4a://") && !url_has_proxy_scheme("socks4a:/h"));
}
