/* test_web_origin.c - the origin of a web page, as a browser's Origin field has it. */

#include "http/web_origin.h"

#include <criterion/criterion.h>

static void
valid(const char *text)
{
    cr_assert(web_origin_is_valid(text), "%s", text);
    cr_assert(web_origin_equal(text, text), "%s", text);
}

static void
invalid(const char *text)
{
    cr_assert_not(web_origin_is_valid(text), "%s", text);
    cr_assert_not(web_origin_equal(text, text), "%s", text);
}

Test(web_origin, is_a_scheme_a_host_and_perhaps_a_port)
{
    valid("https://www.example.org");
    valid("http://localhost:8000");
    valid("http://127.0.0.1");
    valid("http://[::1]");
    valid("http://[2001:db8::1]:8080");
    valid("http://a:1");
    valid("http://a:65535");
    valid("chrome-extension://abcdef");
    valid("HTTPS://WWW.EXAMPLE.ORG");
}

Test(web_origin, is_nothing_else)
{
    invalid("");
    invalid("null");
    invalid("*");
    invalid("example.org");
    invalid("//example.org");
    invalid("://example.org");
    invalid("1http://example.org");
    invalid("http:/example.org");
    invalid("http://");
    invalid("http://:80");
    invalid("https://example.org/");
    invalid("https://example.org/path");
    invalid("https://example.org?q");
    invalid("https://user@example.org");
    invalid("https://example.org ");
    invalid(" https://example.org");
    invalid("https://a.test, https://b.test");
    invalid("https://ex\xc3\xa4mple.org");
    invalid("http://a:");
    invalid("http://a:0");
    invalid("http://a:65536");
    invalid("http://a:123456");
    invalid("http://a:80x");
    invalid("http://[::1");
    invalid("http://[]");
    invalid("http://[::1]8080");
    invalid("http://[x]");
}

Test(web_origin, is_the_same_with_the_schemes_own_port_and_in_capitals)
{
    cr_assert(web_origin_equal("https://a.test", "https://a.test:443"));
    cr_assert(web_origin_equal("http://a.test:80", "HTTP://A.test"));
    cr_assert_not(web_origin_equal("https://a.test", "http://a.test"));
    cr_assert_not(web_origin_equal("https://a.test", "https://a.test:444"));
    cr_assert_not(web_origin_equal("https://a.test", "https://b.test"));
    cr_assert_not(web_origin_equal("https://a.test", "https://a.test.b"));
    cr_assert_not(web_origin_equal("https://a.test", "null"));
}

Test(web_origin, is_of_the_host_that_is_asked)
{
    cr_assert(web_origin_is_of_host("https://a.test", "a.test", true));
    cr_assert(web_origin_is_of_host("https://a.test", "A.test:443", true));
    cr_assert(web_origin_is_of_host("http://[::1]:8080", "[::1]:8080", false));
    cr_assert(web_origin_is_of_host("https://a.test", "a.test", false));
    cr_assert_not(web_origin_is_of_host("http://a.test", "a.test", true));
    cr_assert_not(web_origin_is_of_host("http://a.test", "a.test:8080", false));
    cr_assert_not(web_origin_is_of_host("http://a.test:8080", "a.test", false));
    cr_assert_not(web_origin_is_of_host("http://a.test", "", false));
    cr_assert_not(web_origin_is_of_host("http://a.test", "a.test/", false));
    cr_assert_not(web_origin_is_of_host("null", "null", false));
    cr_assert_not(web_origin_is_of_host("chrome-extension://a", "a", false));
    cr_assert_not(web_origin_is_of_host("ws://a.test", "a.test", false));
}
