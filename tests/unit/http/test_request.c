/* test_request.c - what to fetch and how: one request object as plain data. */

#include "http/request.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct request r;
static struct failure err;

static void
setup(void)
{
    request_init(&r);
}

static void
teardown(void)
{
    request_destroy(&r);
    runner_check_leaks();
}

TestSuite(session_request, .init = setup, .fini = teardown);

static void
refuses_header(const char *name, const char *value, const char *detail)
{
    err = (struct failure){ 0 };
    cr_assert_eq(request_add_header(&r, name, value, &err), -1, "%s", name);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, detail);
    cr_assert_eq(r.headers.count, 0);
}

static void
refuses_cookie(const char *name, const char *value, const char *domain, const char *path,
               const char *detail)
{
    struct cookie c = { (char *)name, (char *)value, .domain = (char *)domain,
                        .path = (char *)path };

    err = (struct failure){ 0 };
    cr_assert_eq(request_add_cookie(&r, &c, &err), -1, "%s", detail);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, detail);
    cr_assert_eq(r.cookies.count, 0);
}

/* -- the contract's defaults --------------------------------------------- */

Test(session_request, is_new_with_the_contracts_defaults_and_nothing_set)
{
    cr_assert_eq(r.set, 0);
    cr_assert_eq(r.connect_timeout_ms, 10000);
    cr_assert_eq(r.total_timeout_ms, 30000);
    cr_assert_eq(r.idle_timeout_ms, 0);
    cr_assert(r.follow_redirects);
    cr_assert_eq(r.max_redirects, 30);
    cr_assert(r.verify);
    cr_assert(r.decompress);
    cr_assert_eq(r.http_version, HTTP_AUTO);
    cr_assert_eq(r.response_body, BODY_AUTO);
    cr_assert_null(r.url);
    cr_assert_null(r.proxy);
    cr_assert_eq(r.auth, AUTH_NONE);
}

/* -- what may be said ---------------------------------------------------- */

Test(session_request, a_method_is_any_token)
{
    static const char *const good[] = { "GET", "purge", "M-SEARCH", "!#$%&'*+-.^_`|~", "0" };
    static const char *const bad[] = { "",    "GET ",  "G T", "GET\r\n", "G/T", "G\xc3\xa9T",
                                       "G(T", "G\x7f", "@",   "[",       "{",   "G:T" };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(request_set_method(&r, good[i], &err), 0, "%s", good[i]);
        cr_assert_str_eq(r.method, good[i]);
    }
    cr_assert(r.set & SET_METHOD);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct failure){ 0 };
        cr_assert_eq(request_set_method(&r, bad[i], &err), -1, "%s", bad[i]);
        cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    }
    cr_assert_str_eq(r.method, "0", "a refused one changes nothing");
}

Test(session_request, a_header_cannot_smuggle_a_line)
{
    refuses_header("X", "a\r\nY: b", "headers.X: CR, LF and NUL are not allowed in a value");
    refuses_header("X", "a\n", "headers.X: CR, LF and NUL are not allowed in a value");
    refuses_header("X", "\r", "headers.X: CR, LF and NUL are not allowed in a value");
    refuses_header("", "a", "headers: \"\" is not a header name");
    refuses_header("X Y", "a", "headers: \"X Y\" is not a header name");
    refuses_header("X:", "a", "headers: \"X:\" is not a header name");
    refuses_header("X\n", "a", "headers: \"X\n\" is not a header name");
}

Test(session_request, a_header_keeps_order_repetition_and_odd_values)
{
    cr_assert_eq(request_add_header(&r, "X-Two", "1", &err), 0);
    cr_assert_eq(request_add_header(&r, "x-two", "\t\"caf\xc3\xa9\" \x80", &err), 0);
    cr_assert_eq(request_add_header(&r, "Accept", NULL, &err), 0);

    cr_assert_eq(r.headers.count, 3);
    cr_assert_str_eq(r.headers.items[0].value, "1");
    cr_assert_str_eq(r.headers.items[1].name, "x-two");
    cr_assert_null(r.headers.items[2].value);
    cr_assert(request_has_header(&r, "X-TWO"));
    cr_assert(request_has_header(&r, "accept"), "removed is named, too");
    cr_assert_not(request_has_header(&r, "X"));
}

Test(session_request, lists_grow_through_many_reallocations)
{
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(request_add_header(&r, "X", "1", &err), 0);
    cr_assert_eq(r.headers.count, 1000);
    for (size_t i = 0; i < 1000; i++)
        cr_assert_str_eq(r.headers.items[i].value, "1");
}

Test(session_request, a_cookie_cannot_smuggle_another)
{
    static const char in_value[] = "cookies.n: the value contains a semicolon or control character";
    static const char *const names[] = { "a=b", "a;b", "a\n", "\x01" };
    static const char *const values[] = { "a; b=c", "a\r\nX: y", "a\vb", "\x7f" };
    char detail[100];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(detail, sizeof detail, "cookies: \"%s\" is not a cookie name", names[i]);
        refuses_cookie(names[i], "v", NULL, NULL, detail);
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        refuses_cookie("n", values[i], NULL, NULL, in_value);
    refuses_cookie("", "", NULL, NULL, "cookies: one has neither name nor value");
    refuses_cookie("n", "v", "", NULL, "cookies.n: invalid domain");
    refuses_cookie("n", "v", "a\tTRUE", NULL, "cookies.n: invalid domain");
    refuses_cookie("n", "v", "#HttpOnly_a", NULL, "cookies.n: invalid domain");
    refuses_cookie("n", "v", "a/b", NULL, "cookies.n: invalid domain");
    refuses_cookie("n", "v", NULL, "app", "cookies.n: the path must begin with /");
    refuses_cookie("n", "v", NULL, "", "cookies.n: the path must begin with /");
    refuses_cookie("n", "v", NULL, "/a\n", "cookies.n: the path must begin with /");
}

/* What responses set, a request can bring: names with blanks, none at all, bytes, tabs. */
Test(session_request, a_cookie_may_be_odd)
{
    static const char *const names[] = { "", "my name", "caf\xe9", "a\tb", "a,b" };
    struct cookie c = { .value = (char *)"a=\t\xff" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        c.name = (char *)names[i];
        cr_assert_eq(request_add_cookie(&r, &c, &err), 0, "%s: %s", names[i], err.detail);
    }
}

Test(session_request, a_deleted_cookie_is_ignored)
{
    struct cookie c = { .name = (char *)"n", .value = (char *)"", .deleted = true };

    cr_assert_eq(request_add_cookie(&r, &c, &err), 0);
    cr_assert_eq(r.cookies.count, 0);
}

Test(session_request, cookies_have_a_limit)
{
    struct cookie c = { .name = (char *)"n", .value = (char *)"" };

    for (int i = 0; i < r.most.cookies; i++)
        cr_assert_eq(request_add_cookie(&r, &c, &err), 0);
    cr_assert_eq(request_add_cookie(&r, &c, &err), -1);
    cr_assert_str_eq(err.detail, "cookies: over 1000 (limits.cookies)");
}

Test(session_request, lists_have_limits_that_can_be_set)
{
    struct part p = { .name = (char *)"n", .data = (char *)"", .size = 0 };

    r.most = (struct request_limits){ .headers = 2, .params = 0, .cookies = 0, .parts = 1 };
    cr_assert_eq(request_add_header(&r, "a", "1", &err), 0);
    cr_assert_eq(request_add_header(&r, "a", NULL, &err), 0);
    cr_assert_eq(request_add_header(&r, "a", NULL, &err), -1);
    cr_assert_str_eq(err.detail, "headers: over 2 (limits.headers)");
    cr_assert_eq(r.headers.count, 2);

    err = (struct failure){ 0 };
    cr_assert_eq(request_forward_header(&r, "a", &err), 0);
    cr_assert_eq(request_forward_header(&r, "b", &err), 0);
    cr_assert_eq(request_forward_header(&r, "c", &err), -1);
    cr_assert_str_eq(err.detail, "forward_headers: over 2 (limits.headers)");

    err = (struct failure){ 0 };
    cr_assert_eq(request_add_part(&r, &p, &err), 0);
    cr_assert_eq(request_add_part(&r, &p, &err), -1);
    cr_assert_str_eq(err.detail, "multipart: over 1 (limits.parts)");
}

Test(session_request, methods_to_retry_have_a_limit)
{
    for (int i = 0; i < REQUEST_METHODS_MAX; i++)
        cr_assert_eq(request_add_retry_method(&r, "GET", &err), 0);
    cr_assert_eq(request_add_retry_method(&r, "GET", &err), -1);
    cr_assert_str_eq(err.detail, "retries.methods: over 100");
}

Test(session_request, bytes_grow_with_all_that_it_holds)
{
    struct cookie c = { .name = (char *)"name", .value = (char *)"value" };
    size_t before = request_bytes(&r), with_header;

    cr_assert_geq(before, sizeof r);
    request_add_header(&r, "X-Name", "0123456789", &err);
    with_header = request_bytes(&r);
    cr_assert_geq(with_header, before + 7 + 11);
    request_add_cookie(&r, &c, &err);
    cr_assert_geq(request_bytes(&r), with_header + 5 + 6);
}

Test(session_request, a_cookie_is_copied_whole)
{
    struct cookie c = { (char *)"n",    (char *)"v",       (char *)"a.example", (char *)"/p",
                        .secure = true, .http_only = true, .expires = 7 };
    struct cookie least = { .name = (char *)"n", .value = (char *)"" };

    cr_assert_eq(request_add_cookie(&r, &c, &err), 0);
    cr_assert_eq(request_add_cookie(&r, &least, &err), 0);
    cr_assert_str_eq(r.cookies.items[0].domain, "a.example");
    cr_assert_str_eq(r.cookies.items[0].path, "/p");
    cr_assert(r.cookies.items[0].secure && r.cookies.items[0].http_only);
    cr_assert_eq(r.cookies.items[0].expires, 7);
    cr_assert_neq(r.cookies.items[0].name, c.name, "its own copy");
    cr_assert_null(r.cookies.items[1].domain);
}

Test(session_request, can_be_destroyed_twice)
{
    request_add_header(&r, "X", "1", &err);
    request_destroy(&r);
    request_destroy(&r);
    cr_assert_eq(r.headers.count, 0);
    cr_assert_eq(r.total_timeout_ms, 30000, "as new");
}

/* -- the table of keys ------------------------------------------------------ */

Test(session_request, each_bit_belongs_to_one_key)
{
    cr_assert_eq(SET_METHOD, UINT64_C(1) << KEY_METHOD);
    cr_assert_eq(SET_TAG, UINT64_C(1) << KEY_TAG);
    cr_assert(request_key_is_tracked(KEY_RETRY_STATUSES));
    cr_assert_not(request_key_is_tracked(KEY_RETRY), "a group is given key by key");
    cr_assert_not(request_key_is_tracked(KEY_HEADERS), "lists are merged item by item");
    cr_assert_not(request_key_is_tracked(KEY_URL));
}

/* For each key whose value can be changed in one place: may requests that differ in it share? */
Test(session_request, requests_that_differ_where_the_transfer_does_are_not_identical)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++) {
        const struct field *f = request_key_field(key);
        struct request other;
        char *member;

        request_init(&other);
        cr_assert(request_is_identical(&r, &other));
        member = (char *)&other + f->at;
        if (f->kind == FIELD_TEXT)
            *(char **)member = strdup("x");
        else if (f->kind < FIELD_OTHER)
            *member ^= 1; /* the lowest byte of a number, or a bool */
        if (f->kind < FIELD_OTHER)
            cr_assert_eq(request_is_identical(&r, &other), (f->flags & REQUEST_PER_CALLER) != 0,
                         "%s", f->name);
        request_destroy(&other);
    }
}

Test(session_request, other_headers_credentials_statuses_and_methods_are_not_identical)
{
    struct request other;

    request_init(&other);
    request_add_header(&other, "X", "1", &err);
    cr_assert_not(request_is_identical(&r, &other));
    request_destroy(&other);
    other.proxy_auth.user = strdup("u");
    cr_assert_not(request_is_identical(&r, &other));
    request_destroy(&other);
    other.auth = AUTH_BEARER;
    cr_assert_not(request_is_identical(&r, &other));
    other.auth = AUTH_NONE;
    retry_policy_add_status(&other.retries, 500);
    cr_assert_not(request_is_identical(&r, &other));
    request_destroy(&other);
    request_add_retry_method(&other, "POST", &err);
    cr_assert_not(request_is_identical(&r, &other));
    request_destroy(&other);
}
