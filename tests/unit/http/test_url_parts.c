/* test_url_parts.c - the parts of a URL, gathered into one allocation. */

#include "http/url_parts.h"

#include "http/url.h"

#include <criterion/criterion.h>
#include <string.h>

#define PIECE(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }

static const struct url_parts whole = {
    .text = PIECE("https://a.example:8443/x?y"),
    .scheme = PIECE("https"),
    .host = PIECE("a.example"),
    .path = PIECE("/x"),
    .user = PIECE("me"),
    .password = PIECE(""),
    .port = 8443,
};

static void
check_origin(const char *host, int port, const char *origin)
{
    struct url_parts parts = whole;
    struct url u;

    parts.host = (struct url_piece){ host, strlen(host) };
    parts.port = port;
    cr_assert_eq(url_parts_gather(&parts, &u), 0);
    cr_assert_str_eq(u.origin, origin, "%s", u.origin);
    url_destroy(&u);
}

Test(url_parts, each_is_a_text_of_its_own)
{
    struct url u;

    cr_assert_eq(url_parts_gather(&whole, &u), 0);
    cr_assert_str_eq(u.text, "https://a.example:8443/x?y");
    cr_assert_str_eq(u.scheme, "https");
    cr_assert_str_eq(u.host, "a.example");
    cr_assert_str_eq(u.path, "/x");
    cr_assert_str_eq(u.user, "me");
    cr_assert_str_eq(u.password, "");
    cr_assert_str_eq(u.origin, "https://a.example:8443");
    cr_assert_eq(u.port, 8443);
    url_destroy(&u);
}

Test(url_parts, what_the_url_does_not_have_is_null)
{
    struct url_parts parts = whole;
    struct url u;

    parts.user = parts.password = (struct url_piece){ 0 };
    cr_assert_eq(url_parts_gather(&parts, &u), 0);
    cr_assert_null(u.user);
    cr_assert_null(u.password);
    url_destroy(&u);
}

Test(url_parts, the_origin_has_the_port_and_ipv6_its_brackets)
{
    check_origin("a", 1, "https://a:1");
    check_origin("a", 65535, "https://a:65535");
    check_origin("192.0.2.1", 80, "https://192.0.2.1:80");
    check_origin("2001:db8::1", 443, "https://[2001:db8::1]:443");
    check_origin("::1", 65535, "https://[::1]:65535");
}
