/* test_cookie_match.c - which cookies go with a request, by RFC 6265 section 5.4. */

#include "http/cookie_match.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW 1000

static struct cookies list;
static struct buffer field;

static void
setup(void)
{
    buffer_init(&field, SIZE_MAX / 2);
}

static void
teardown(void)
{
    cookies_destroy(&list);
    buffer_free(&field);
}

TestSuite(cookie_match, .init = setup, .fini = teardown);

static void
add(const char *name, const char *value, const char *domain, const char *path)
{
    struct cookie c = {
        .name = (char *)name, .value = (char *)value, .domain = (char *)domain, .path = (char *)path
    };

    cr_assert_eq(cookies_add(&list, &c), 0);
}

static struct cookie *
last(void)
{
    return &list.items[list.count - 1];
}

static const char *
sent(const char *host, const char *path, bool secure)
{
    struct cookie_target t = { host, path, secure, NOW, false };

    buffer_clear(&field);
    cookie_match_write(&field, &list, &t);
    cr_assert(buffer_ok(&field));
    return field.len > 0 ? field.data : "";
}

/* Section 5.1.3. */
Test(cookie_match, a_domain_matches_itself_and_names_below_it)
{
    cr_assert(cookie_match_domain("example.com", "example.com"));
    cr_assert(cookie_match_domain("www.example.com", "example.com"));
    cr_assert(cookie_match_domain("a.b.example.com", "EXAMPLE.com"));
    cr_assert(cookie_match_domain("127.0.0.1", "127.0.0.1"));
    cr_assert(cookie_match_domain("::1", "::1"));
    cr_assert_not(cookie_match_domain("anexample.com", "example.com"));
    cr_assert_not(cookie_match_domain("example.com", "www.example.com"));
    cr_assert_not(cookie_match_domain(".example.com", "example.com"));
    cr_assert_not(cookie_match_domain("127.0.0.1", "0.0.1"));
    cr_assert_not(cookie_match_domain("example.com", ""));
    cr_assert_not(cookie_match_domain("", "example.com"));
}

/* Section 5.1.4. */
Test(cookie_match, a_path_matches_itself_and_what_is_below_it)
{
    cr_assert(cookie_match_path("/", "/"));
    cr_assert(cookie_match_path("/a", "/"));
    cr_assert(cookie_match_path("/a", "/a"));
    cr_assert(cookie_match_path("/a/", "/a"));
    cr_assert(cookie_match_path("/a/b", "/a"));
    cr_assert(cookie_match_path("/a/b", "/a/"));
    cr_assert_not(cookie_match_path("/ab", "/a"));
    cr_assert_not(cookie_match_path("/a", "/a/"));
    cr_assert_not(cookie_match_path("/A", "/a"));
    cr_assert_not(cookie_match_path("/", "/a"));
}

/* Section 5.4, step 1. */
Test(cookie_match, a_cookie_goes_where_host_path_scheme_and_time_suit)
{
    add("host", "1", "a.test", NULL);
    last()->host_only = true;
    add("domain", "2", "a.test", "/");
    add("path", "3", "a.test", "/x");
    add("secure", "4", "a.test", "/");
    last()->secure = true;
    add("gone", "5", "a.test", "/");
    last()->expires = NOW;
    add("fresh", "6", "a.test", "/");
    last()->expires = NOW + 1;
    add("deleted", "", "a.test", "/");
    last()->deleted = true;
    add("__Secure-p", "7", "a.test", "/");
    add("__Host-p", "8", "a.test", "/");

    cr_assert_str_eq(sent("a.test", "/", false), "host=1; domain=2; fresh=6");
    cr_assert_str_eq(sent("b.a.test", "/", false), "domain=2; fresh=6");
    cr_assert_str_eq(sent("a.test", "/x/y", false), "path=3; host=1; domain=2; fresh=6");
    cr_assert_str_eq(sent("a.test", "/", true),
                     "host=1; domain=2; secure=4; fresh=6; __Secure-p=7; __Host-p=8");
    cr_assert_str_eq(sent("test", "/", true), "");
}

/* Section 5.4, step 2; not by the length of names. */
Test(cookie_match, the_longest_path_goes_first_and_then_the_oldest)
{
    add("a", "1", "a.test", "/");
    add("bb", "2", "a.test", "/x");
    add("ccc", "3", "a.test", "/");
    add("dddd", "4", "a.test", "/x/y");
    add("e", "5", "a.test", "/x");

    cr_assert_str_eq(sent("a.test", "/x/y", false), "dddd=4; bb=2; e=5; a=1; ccc=3");
}

Test(cookie_match, a_cookie_without_a_name_is_its_value_alone)
{
    add("", "v", "a.test", "/");
    add("n", "", "a.test", "/");
    add("u", "caf\xe9", "a.test", "/");

    cr_assert_str_eq(sent("a.test", "/", false), "v; n=; u=caf\xe9");
}

Test(cookie_match, a_field_over_the_buffers_limit_fails)
{
    struct cookie_target t = { "a.test", "/", false, NOW, false };
    struct buffer small;

    buffer_init(&small, 5);
    add("name", "value", "a.test", "/");
    cookie_match_write(&small, &list, &t);
    cr_assert_not(buffer_ok(&small));
    buffer_free(&small);
}

/* 6265bis section 5.7, step 19. */
Test(cookie_match, a_secure_cookie_is_not_hidden_by_one_set_in_the_clear)
{
    struct cookie fresh = { .name = (char *)"sid",
                            .value = (char *)"2",
                            .domain = (char *)"www.a.test",
                            .path = (char *)"/x" };

    add("sid", "1", "a.test", "/");
    cr_assert_not(cookie_match_hides_any_secure(&list, &fresh));
    last()->secure = true;
    cr_assert(cookie_match_hides_any_secure(&list, &fresh));
    fresh.domain = (char *)"test";
    cr_assert(cookie_match_hides_any_secure(&list, &fresh));
    fresh.domain = (char *)"b.test";
    cr_assert_not(cookie_match_hides_any_secure(&list, &fresh));
    fresh.domain = (char *)"a.test";
    fresh.name = (char *)"SID";
    cr_assert_not(cookie_match_hides_any_secure(&list, &fresh));
    fresh.name = (char *)"sid";
    free(last()->path);
    last()->path = strdup("/y");
    cr_assert_not(cookie_match_hides_any_secure(&list, &fresh));
    free(last()->path);
    last()->path = strdup("/");
    last()->deleted = true;
    cr_assert_not(cookie_match_hides_any_secure(&list, &fresh));
}

Test(cookie_match, a_bound_cookie_goes_where_bound_ones_may)
{
    struct cookie_target t = { "a.test", "/", false, NOW, false };
    const struct cookie c = { .name = (char *)"n", .value = (char *)"v", .bound = true };

    cr_assert_not(cookie_match_target(&c, &t));
    t.bound = true;
    cr_assert(cookie_match_target(&c, &t));
}
