/* test_request_query.c - a request from a query string. */

#include "message/request_query.h"

#include "support/request_fixture.h"

TestSuite(message_query, .init = setup, .fini = teardown);

static void
takes_query(const char *text)
{
    teardown();
    setup();
    cr_assert_eq(request_query_read(&r, text, &err), 0, "%s: %s", text, err.detail);
}

static void
refuses_query(const char *text, const char *detail)
{
    teardown();
    setup();
    cr_assert_eq(request_query_read(&r, text, &err), -1, "%s", text);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

Test(message_query, the_url_is_percent_decoded)
{
    takes_query("url=http%3A%2F%2fa%2F%3Fx%3D1%26y%3D2+3");
    cr_assert_str_eq(r.url, "http://a/?x=1&y=2 3");
    takes_query("url=http://a/b?c=d");
    cr_assert_str_eq(r.url, "http://a/b?c=d");
}

Test(message_query, plain_values_of_every_type_are_read)
{
    takes_query("url=http://a/&timeout=1.5&verify=false&max_redirects=3&http_version=2&tag=5"
                "&method=PUT&body=a%00b&retries=2&coalesce=false&session=s");
    cr_assert_eq(r.total_timeout_ms, 1500);
    cr_assert_not(r.verify);
    cr_assert_eq(r.max_redirects, 3);
    cr_assert_eq(r.http_version, HTTP_2);
    cr_assert_str_eq(r.tag, "5");
    cr_assert_str_eq(r.method, "PUT");
    cr_assert_eq(r.retries.max, 2);
    cr_assert_eq(r.body_size, 3);
    cr_assert_arr_eq(r.body, "a\0b", 3);
    cr_assert_str_eq(r.session, "s");
}

Test(message_query, empty_segments_are_skipped)
{
    takes_query("&&url=http://a/&&tag=&");
    cr_assert_str_eq(r.tag, "");
    takes_query("url=http://a/&tag");
    cr_assert_str_eq(r.tag, "");
}

Test(message_query, mistakes_are_named)
{
    refuses_query(NULL, "url: required");
    refuses_query("", "url: required");
    refuses_query("url=http://a/&urll=1", "unknown key \"urll\"");
    refuses_query("url=http://a/&url=http://b/", "url: given twice");
    refuses_query("url=http://a/&t%61g=1&tag=2", "tag: given twice");
    refuses_query("url=http://a/&verify=yes", "verify: expected true or false");
    refuses_query("url=http://a/&verify=1", "verify: expected true or false");
    refuses_query("url=http://a/&max_redirects=two",
                  "max_redirects: expected an integer from 0 to 100");
    refuses_query("url=http://a/&timeout=",
                  "timeout: expected a number of seconds above 0 and at most 86400");
    refuses_query("url=http://a/&timeout={\"total\":1}",
                  "timeout: expected a number of seconds above 0 and at most 86400");
    refuses_query("url=%00", "url: must not contain NUL");
    refuses_query("url%00=http://a/", "unknown key \"url\"");
    refuses_query("url=%C3", "url: not valid UTF-8");
}

Test(message_query, a_percent_sign_needs_two_hex_digits)
{
    static const char *const wrong[] = { "url=%",   "url=%4",   "url=%4g",
                                         "url=%g4", "url=%%41", "url=%4&tag=1" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuses_query(wrong[i], "url: \"%\" must be followed by two hex digits");
    refuses_query("u%rl=1", "query: \"%\" must be followed by two hex digits");
}

Test(message_query, keys_that_are_no_plain_values_need_an_object)
{
    static const char *const keys[] = { "headers",    "params",    "cookies",
                                        "json",       "form",      "auth",
                                        "proxy_auth", "multipart", "forward_headers" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char query[60], detail[100];

        snprintf(query, sizeof query, "url=http://a/&%s=1", keys[i]);
        snprintf(detail, sizeof detail,
                 "%s: not allowed in a query string; POST a request object instead", keys[i]);
        refuses_query(query, detail);
    }
}

Test(message_query, features_of_later_releases_are_unsupported_by_name)
{
    cr_assert_eq(request_query_read(&r, "url=http://a/&impersonate=chrome", &err), -1);
    cr_assert_eq(err.error, ERROR_UNSUPPORTED);
    cr_assert_not_null(strstr(err.detail, "impersonate: this libcurl cannot"), "%s", err.detail);
}
