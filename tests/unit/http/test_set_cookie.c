/* test_set_cookie.c - one Set-Cookie field, by the tables of RFC 6265 and 6265bis. */

#include "http/set_cookie.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NOW 1000000000 /* 2001-09-09 */
#define DAY (24 * 3600)

static const struct set_cookie_origin http = { "www.example.com", "/dir/page", false };
static const struct set_cookie_origin https = { "www.example.com", "/dir/page", true };

static struct cookie c;

static enum set_cookie
parse(const char *field, const struct set_cookie_origin *from)
{
    cookies_destroy_one(&c);
    return set_cookie_parse(&c, field, from, NOW);
}

static void
stores(const char *field, const char *name, const char *value)
{
    cr_assert_eq(parse(field, &https), SET_COOKIE_STORE, "%s", field);
    cr_assert_str_eq(c.name, name, "%s", field);
    cr_assert_str_eq(c.value, value, "%s", field);
}

static void
ignores(const char *field)
{
    cr_assert_eq(parse(field, &https), SET_COOKIE_IGNORE, "%s", field);
    cr_assert_null(c.name);
}

static void
done(void)
{
    cookies_destroy_one(&c);
}

TestSuite(set_cookie, .fini = done);

/* -- RFC 6265 section 5.1.1: dates ------------------------------------------ */

Test(set_cookie, a_date_is_found_in_any_order_and_among_any_delimiters)
{
    static const struct {
        const char *text;
        int64_t at;
    } table[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "06 Nov 1994 8:49:37", 784111777 },
        { "1994 Nov 6 08:49:37", 784111777 },
        { "08:49:37 06-november-1994", 784111777 },
        { "6~Nov~94\t08:49:37zone", 784111777 },
        { "06th NOVEMBER 1994 08:49:37", 784111777 },
        { "06 Nov 1994 08:49:37 07:00:00", 784111777 },
        { "01 Jan 70 00:00:00", 0 },
        { "01 Jan 69 00:00:00", 3124224000 },
        { "01 Jan 1601 00:00:00", 0 },
        { "29 Feb 2000 00:00:00", 951782400 },
        { "31 Dec 9999 23:59:59", 253402300799 },
        { "Wed, 09 Jun 2100 10:18:14 GMT", 4116219494 },
        { "", -1 },
        { "06 Nov 1994", -1 },
        { "Nov 1994 08:49:37", -1 },
        { "06 1994 08:49:37", -1 },
        { "06 Nov 08:49:37", -1 },
        { "06 Nov 1600 08:49:37", -1 },
        { "06 Nov 19945 08:49:37", -1 },
        { "00 Nov 1994 08:49:37", -1 },
        { "32 Nov 1994 08:49:37", -1 },
        { "31 Feb 1994 08:49:37", -1 },
        { "29 Feb 1900 00:00:00", -1 },
        { "06 Nov 1994 24:00:00", -1 },
        { "06 Nov 1994 08:60:37", -1 },
        { "06 Nov 1994 08:49:60", -1 },
        { "06 Nov 1994 008:49:37", -1 },
        { "06 Nov 1994 08:49", -1 },
        { "06 Now 1994 08:49:37", -1 },
        { "784111777", -1 },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        cr_assert_eq(set_cookie_parse_date(table[i].text, strlen(table[i].text)), table[i].at,
                     "%s: %lld", table[i].text,
                     (long long)set_cookie_parse_date(table[i].text, strlen(table[i].text)));
}

/* -- RFC 6265 section 5.2: name and value ------------------------------------- */

Test(set_cookie, name_and_value_end_at_the_first_equals_sign_and_the_first_semicolon)
{
    stores("a=b", "a", "b");
    stores("a=b=c", "a", "b=c");
    stores("a=b;c=d", "a", "b");
    stores(" \ta \t=\t b ; x", "a", "b");
    stores("my name=b c", "my name", "b c");
    stores("a=", "a", "");
    stores("a=;", "a", "");
    stores("a=\"b; c\"", "a", "\"b");
    stores("a=\"b\"", "a", "\"b\"");
    stores("a=b,c=d", "a", "b,c=d");
    stores("u=caf\xe9", "u", "caf\xe9");
    stores("caf\xe9=u", "caf\xe9", "u");
    stores("a=b\tc", "a", "b\tc");
}

Test(set_cookie, without_a_name_all_is_the_value)
{
    stores("x", "", "x");
    stores("=x", "", "x");
    stores("=x=y", "", "x=y");
    stores("x; Path=/", "", "x");
    ignores("");
    ignores("=");
    ignores(" ; Path=/");
    ignores(" = ;");
}

Test(set_cookie, a_control_character_makes_it_void)
{
    ignores("a=b\x01");
    ignores("a\x7f=b");
    ignores("a=b; Path=/\x1f");
    ignores("a=b\r");
}

Test(set_cookie, name_and_value_have_a_limit)
{
    char field[SET_COOKIE_BYTES_MAX + 10];

    memset(field, 'v', sizeof field);
    memcpy(field, "n=", 2);
    field[SET_COOKIE_BYTES_MAX + 1] = '\0';
    cr_assert_eq(parse(field, &https), SET_COOKIE_STORE);
    field[SET_COOKIE_BYTES_MAX + 1] = 'v';
    field[SET_COOKIE_BYTES_MAX + 2] = '\0';
    ignores(field);
}

/* -- RFC 6265 sections 5.2.1 to 5.2.6: attributes ------------------------------ */

static int64_t
expiry_of(const char *attributes)
{
    char field[300];
    enum set_cookie result;

    snprintf(field, sizeof field, "a=b%s", attributes);
    result = parse(field, &https);
    if (result == SET_COOKIE_DELETE)
        return -1;
    cr_assert_eq(result, SET_COOKIE_STORE, "%s", field);
    return c.expires;
}

Test(set_cookie, max_age_wins_over_expires_and_both_have_an_end)
{
    cr_assert_eq(expiry_of(""), 0);
    cr_assert_eq(expiry_of("; Max-Age=10"), NOW + 10);
    cr_assert_eq(expiry_of("; max-age = 10 "), NOW + 10);
    cr_assert_eq(expiry_of("; Max-Age=10; Max-Age=20"), NOW + 20);
    cr_assert_eq(expiry_of("; Max-Age=0"), -1);
    cr_assert_eq(expiry_of("; Max-Age=-1"), -1);
    cr_assert_eq(expiry_of("; Max-Age=x"), 0);
    cr_assert_eq(expiry_of("; Max-Age=1x"), 0);
    cr_assert_eq(expiry_of("; Max-Age=+1"), 0);
    cr_assert_eq(expiry_of("; Max-Age="), 0);
    cr_assert_eq(expiry_of("; Max-Age"), 0);
    cr_assert_eq(expiry_of("; Max-Age=99999999999999999999999"), NOW + 400 * DAY);
    cr_assert_eq(expiry_of("; Max-Age=-99999999999999999999999"), -1);
    cr_assert_eq(expiry_of("; Expires=Sun, 09 Sep 2001 01:46:41 GMT"), NOW + 1);
    cr_assert_eq(expiry_of("; Expires=Sun, 09 Sep 2001 01:46:40 GMT"), -1);
    cr_assert_eq(expiry_of("; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), -1);
    cr_assert_eq(expiry_of("; Expires=Fri, 31 Dec 9999 23:59:59 GMT"), NOW + 400 * DAY);
    cr_assert_eq(expiry_of("; Expires=never"), 0);
    cr_assert_eq(expiry_of("; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5"), NOW + 5);
    cr_assert_eq(expiry_of("; Max-Age=0; Expires=Fri, 31 Dec 2100 23:59:59 GMT"), -1);
}

Test(set_cookie, flags_have_no_value_that_counts)
{
    stores("a=b; Secure; HttpOnly", "a", "b");
    cr_assert(c.secure && c.http_only);
    stores("a=b;secure=0;HTTPONLY=no", "a", "b");
    cr_assert(c.secure && c.http_only);
    stores("a=b; Secur; SameSite=None; Partitioned; =; ;;", "a", "b");
    cr_assert_not(c.secure || c.http_only);
    cr_assert_eq(parse("a=b; Secure", &http), SET_COOKIE_IGNORE, "set in the clear");
    cr_assert_eq(parse("a=b", &http), SET_COOKIE_STORE);
}

static const char *
path_for(const char *attribute, const char *request_path)
{
    struct set_cookie_origin from = { "www.example.com", request_path, true };
    char field[2000];

    snprintf(field, sizeof field, "a=b; %s", attribute);
    cr_assert_eq(parse(field, &from), SET_COOKIE_STORE, "%s", field);
    return c.path;
}

Test(set_cookie, a_path_that_is_none_is_the_directory_of_the_request)
{
    static const char *const none[] = {
        "", "Path", "Path=", "Path=foo", "Path=\"/\"", "Path=/x; Path=y", "Path=/x; Path"
    };
    char longest[1100] = "Path=/";

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        cr_assert_str_eq(path_for(none[i], "/dir/page"), "/dir", "%s", none[i]);
    cr_assert_str_eq(path_for("", "/dir/"), "/dir");
    cr_assert_str_eq(path_for("", "/dir"), "/");
    cr_assert_str_eq(path_for("", "/"), "/");
    cr_assert_str_eq(path_for("", "/a/b/c"), "/a/b");
    cr_assert_str_eq(path_for("Path=/x/", "/dir/page"), "/x/");
    cr_assert_str_eq(path_for("path = /x y ", "/dir/page"), "/x y");
    cr_assert_str_eq(path_for("Path=/x; Path=/y", "/dir/page"), "/y");
    memset(longest + 6, 'x', 1030);
    cr_assert_str_eq(path_for(longest, "/dir/page"), "/dir", "over 1,024 bytes are ignored");
}

/* -- RFC 6265 section 5.3: whose ------------------------------------------------ */

static void
domain_is(const char *host, const char *attribute, const char *domain, bool host_only)
{
    struct set_cookie_origin from = { host, "/", true };
    char field[200];

    snprintf(field, sizeof field, "a=b; Domain=%s", attribute);
    cr_assert_eq(parse(field, &from), SET_COOKIE_STORE, "%s %s", host, field);
    cr_assert_str_eq(c.domain, domain, "%s %s", host, field);
    cr_assert_eq(c.host_only, host_only, "%s %s", host, field);
}

static void
domain_is_refused(const char *host, const char *attribute)
{
    struct set_cookie_origin from = { host, "/", true };
    char field[200];

    snprintf(field, sizeof field, "a=b; Domain=%s", attribute);
    cr_assert_eq(parse(field, &from), SET_COOKIE_IGNORE, "%s %s", host, field);
}

Test(set_cookie, a_domain_is_the_host_or_above_it)
{
    domain_is("www.example.com", "example.com", "example.com", false);
    domain_is("www.example.com", ".example.com", "example.com", false);
    domain_is("www.example.com", "WWW.Example.COM", "www.example.com", false);
    domain_is("www.example.com", "", "www.example.com", true);
    domain_is("www.example.com", ".", "www.example.com", true);
    domain_is("www.example.com", "other.com; Domain=", "www.example.com", true);
    domain_is("127.0.0.1", "127.0.0.1", "127.0.0.1", false);
    domain_is("::1", "::1", "::1", true);
    domain_is("localhost", "localhost", "localhost", true);
    domain_is("a.bank.localhost", "bank.localhost", "bank.localhost", false);
    domain_is_refused("www.example.com", "ample.com");
    domain_is_refused("www.example.com", "a.www.example.com");
    domain_is_refused("www.example.com", "example.org");
    domain_is_refused("www.example.com", "..example.com");
    domain_is_refused("www.example.com", "example.com.");
    domain_is_refused("127.0.0.1", "0.0.1");
    domain_is_refused("127.0.0.1", "1");
}

Test(set_cookie, a_public_suffix_is_no_domain_but_for_its_own_host)
{
    domain_is_refused("www.example.com", "com");
    domain_is_refused("www.example.co.uk", "co.uk");
    domain_is_refused("me.github.io", ".github.io");
    domain_is_refused("a.localhost", "localhost");
    domain_is_refused("a.com.", "com."); /* CVE-2026-8924 of libcurl */
    domain_is_refused("www.example.co.uk.", "co.uk.");
    domain_is("github.io", "github.io", "github.io", true);
    domain_is("a.com.", "a.com.", "a.com.", true);
}

/* -- 6265bis: prefixes ------------------------------------------------------------ */

Test(set_cookie, a_prefix_promises_how_a_cookie_was_set)
{
    stores("__Secure-a=b; Secure", "__Secure-a", "b");
    stores("__Host-a=b; Secure; Path=/", "__Host-a", "b");
    ignores("__Secure-a=b");
    ignores("__secure-a=b");
    ignores("__Host-a=b; Path=/");
    ignores("__Host-a=b; Secure");
    ignores("__Host-a=b; Secure; Path=/dir");
    ignores("__Host-a=b; Secure; Path=/; Domain=example.com");
    ignores("__HOST-a=b");
    ignores("=__Host-a=b; Secure; Path=/");
    ignores("__Secure-a; Secure");
    stores("_Host-a=b", "_Host-a", "b");
}

Test(set_cookie, the_prefix_host_needs_a_path_that_is_written)
{
    const struct set_cookie_origin root = { "www.example.com", "/page", true };

    cr_assert_eq(parse("__Host-a=b; Secure", &root), SET_COOKIE_IGNORE);
    cr_assert_eq(parse("__Host-a=b; Secure; Path=/", &root), SET_COOKIE_STORE);
}
