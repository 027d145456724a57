/* test_netscape_cookie.c - a cookie as one line of the Netscape format. */

#include "session/netscape_cookie.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <string.h>

static struct netscape_cookie l;

static bool
is(enum netscape_field f, const char *text)
{
    return netscape_cookie_field_equals(&l, f, text);
}

Test(cookie_line, is_parsed_into_its_fields)
{
    netscape_cookie_parse(&l, "#HttpOnly_.a.example\tTRUE\t/app\tFALSE\t123\tsid\tx=y; z");

    cr_assert(l.http_only);
    cr_assert(is(COOKIE_DOMAIN, ".a.example"));
    cr_assert(is(COOKIE_TAIL, "TRUE"));
    cr_assert(is(COOKIE_PATH, "/app"));
    cr_assert(is(COOKIE_SECURE, "FALSE"));
    cr_assert(is(COOKIE_EXPIRES, "123"));
    cr_assert(is(COOKIE_NAME, "sid"));
    cr_assert(is(COOKIE_VALUE, "x=y; z"));
    cr_assert_not(is(COOKIE_NAME, "si"));
    cr_assert_not(is(COOKIE_NAME, "sidx"));
    cr_assert_eq(netscape_cookie_expires(&l), 123);
}

Test(cookie_line, a_line_that_is_too_short_has_empty_fields)
{
    netscape_cookie_parse(&l, "a.example\tTRUE");
    cr_assert(is(COOKIE_TAIL, "TRUE"));
    cr_assert(is(COOKIE_NAME, ""));
    cr_assert(is(COOKIE_VALUE, ""));
    netscape_cookie_parse(&l, "");
    cr_assert(is(COOKIE_DOMAIN, ""));
}

Test(cookie_line, what_libcurl_writes_of_a_cookie_is_what_was_given)
{
    const struct cookie given = {
        (char *)"n",    (char *)"v",       (char *)"a.example",           (char *)"/app",
        .secure = true, .http_only = true, .expires = INT64_C(4102444800)
    };
    struct cookies back = { 0 };
    struct curl_slist *lines = NULL;
    CURL *easy = curl_easy_init();
    struct buffer line;

    buffer_init(&line, 1000);
    netscape_cookie_write(&line, &given, "elsewhere.example");
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, line.data);
    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    netscape_cookie_parse(&l, lines->data);
    cr_assert_eq(netscape_cookie_append(&back, &l), 0);

    cr_assert_str_eq(back.items[0].name, "n");
    cr_assert_str_eq(back.items[0].value, "v");
    cr_assert_str_eq(back.items[0].domain, "a.example", "without the leading dot");
    cr_assert_str_eq(back.items[0].path, "/app");
    cr_assert(back.items[0].secure && back.items[0].http_only);
    cr_assert_eq(back.items[0].expires, INT64_C(4102444800));
    cookies_destroy(&back);
    curl_slist_free_all(lines);
    curl_easy_cleanup(easy);
    buffer_free(&line);
    runner_check_leaks();
}

Test(cookie_line, without_a_domain_it_belongs_to_the_host_alone)
{
    const struct cookie given = { .name = (char *)"n", .value = (char *)"" };
    struct buffer line;

    buffer_init(&line, 1000);
    netscape_cookie_write(&line, &given, "a.example");
    cr_assert_str_eq(line.data, "a.example\tFALSE\t/\tFALSE\t0\tn\t");
    buffer_free(&line);
}

static bool
same(const char *a, const char *b)
{
    struct netscape_cookie x, y;

    netscape_cookie_parse(&x, a);
    netscape_cookie_parse(&y, b);
    return netscape_cookie_same(&x, &y);
}

Test(cookie_line, domain_path_and_name_make_it_the_same_cookie)
{
    static const char one[] = "a\tFALSE\t/\tFALSE\t0\tn\tv";

    cr_assert(same(one, "a\tTRUE\t/\tTRUE\t9\tn\tother"));
    cr_assert(same(one, "#HttpOnly_a\tFALSE\t/\tFALSE\t0\tn\tv"));
    cr_assert_not(same(one, "b\tFALSE\t/\tFALSE\t0\tn\tv"));
    cr_assert_not(same(one, "a\tFALSE\t/a\tFALSE\t0\tn\tv"));
    cr_assert_not(same(one, "a\tFALSE\t/\tFALSE\t0\tN\tv"));
}

static bool
suits(const char *line, const char *host)
{
    netscape_cookie_parse(&l, line);
    return netscape_cookie_matches_host(&l, host);
}

Test(cookie_line, matches_its_domain_and_the_names_below_if_it_says_so)
{
    static const char host_only[] = "a.example\tFALSE\t/\tFALSE\t0\tn\tv";
    static const char below[] = ".a.example\tTRUE\t/\tFALSE\t0\tn\tv";

    cr_assert(suits(host_only, "A.example"));
    cr_assert_not(suits(host_only, "x.a.example"));
    cr_assert(suits(below, "a.example"));
    cr_assert(suits(below, "x.y.a.example"));
    cr_assert_not(suits(below, "xa.example"));
    cr_assert_not(suits(below, ".example"));
    cr_assert_not(suits(below, "example"));
    cr_assert_not(suits(below, ""));
    cr_assert(suits("::1\tFALSE\t/\tFALSE\t0\tn\tv", "::1"));
}
