/* test_request_merge.c - a request completed from a session's defaults. */

#include "http/request_merge.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct request r, defaults;
static struct failure err;

static void
setup(void)
{
    request_init(&r);
    request_init(&defaults);
}

static void
teardown(void)
{
    request_destroy(&r);
    request_destroy(&defaults);
    runner_check_leaks();
}

TestSuite(defaults, .init = setup, .fini = teardown);

Test(defaults, every_scalar_left_open_comes_from_the_session)
{
    defaults.set = UINT64_MAX;
    defaults.method = strdup("PUT");
    defaults.tag = strdup("tag");
    defaults.proxy = strdup("http://p");
    defaults.proxy_auth = (struct credentials){ strdup("pu"), strdup("pp") };
    defaults.auth = AUTH_BASIC;
    defaults.auth_pair = (struct credentials){ strdup("u"), strdup("p") };
    defaults.connect_timeout_ms = 1;
    defaults.total_timeout_ms = 2;
    defaults.idle_timeout_ms = 3;
    defaults.follow_redirects = defaults.verify = defaults.decompress = false;
    defaults.max_redirects = 4;
    defaults.http_version = HTTP_2;
    defaults.max_body_bytes = 5;
    defaults.max_recv_speed = 6;
    defaults.response_body = BODY_NONE;
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);

    cr_assert_str_eq(r.method, "PUT");
    cr_assert_str_eq(r.tag, "tag");
    cr_assert_str_eq(r.proxy, "http://p");
    cr_assert_str_eq(r.proxy_auth.user, "pu");
    cr_assert_str_eq(r.proxy_auth.password, "pp");
    cr_assert_eq(r.auth, AUTH_BASIC);
    cr_assert_str_eq(r.auth_pair.user, "u");
    cr_assert_str_eq(r.auth_pair.password, "p");
    cr_assert_eq(r.connect_timeout_ms, 1);
    cr_assert_eq(r.total_timeout_ms, 2);
    cr_assert_eq(r.idle_timeout_ms, 3);
    cr_assert_not(r.follow_redirects || r.verify || r.decompress);
    cr_assert_eq(r.max_redirects, 4);
    cr_assert_eq(r.http_version, HTTP_2);
    cr_assert_eq(r.max_body_bytes, 5);
    cr_assert_eq(r.max_recv_speed, 6);
    cr_assert_eq(r.response_body, BODY_NONE);
}

Test(defaults, what_the_request_says_stays)
{
    request_set_method(&r, "GET", &err);
    r.set |= SET_TOTAL_TIMEOUT | SET_AUTH | SET_VERIFY;
    r.auth = AUTH_BEARER;
    r.auth_token = strdup("mine");
    defaults.set = UINT64_MAX;
    defaults.method = strdup("PUT");
    defaults.auth = AUTH_BASIC;
    defaults.auth_pair = (struct credentials){ strdup("u"), strdup("p") };
    defaults.total_timeout_ms = 2;
    defaults.verify = false;
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);

    cr_assert_str_eq(r.method, "GET");
    cr_assert_eq(r.total_timeout_ms, 30000);
    cr_assert(r.verify);
    cr_assert_eq(r.auth, AUTH_BEARER);
    cr_assert_null(r.auth_pair.user);
}

Test(defaults, what_the_session_leaves_open_keeps_the_contracts_default)
{
    defaults.total_timeout_ms = 1; /* without its bit */
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);
    cr_assert_eq(r.total_timeout_ms, 30000);
}

Test(defaults, headers_win_by_name_in_any_case_and_a_removed_one_stays_removed)
{
    request_add_header(&r, "x-mine", "1", &err);
    request_add_header(&r, "Gone", NULL, &err);
    request_add_header(&defaults, "X-Mine", "0", &err);
    request_add_header(&defaults, "gone", "0", &err);
    request_add_header(&defaults, "X-Theirs", "2", &err);
    request_add_header(&defaults, "X-Theirs", "3", &err);
    request_add_header(&defaults, "Accept", NULL, &err);
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);

    cr_assert_eq(r.headers.count, 5);
    cr_assert_str_eq(r.headers.items[2].value, "2");
    cr_assert_str_eq(r.headers.items[3].value, "3", "repetitions of the session all come");
    cr_assert_null(r.headers.items[4].value);
}

Test(defaults, cookies_win_by_name)
{
    const struct cookie mine = { .name = (char *)"n", .value = (char *)"mine" };
    const struct cookie theirs = { .name = (char *)"n", .value = (char *)"theirs" };
    const struct cookie other = { .name = (char *)"N", .value = (char *)"other" };

    request_add_cookie(&r, &mine, &err);
    request_add_cookie(&defaults, &theirs, &err);
    request_add_cookie(&defaults, &other, &err);
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);

    cr_assert_eq(r.cookies.count, 2);
    cr_assert_str_eq(r.cookies.items[0].value, "mine");
    cr_assert_str_eq(r.cookies.items[1].name, "N");
}

Test(defaults, a_copy_shares_nothing)
{
    const struct part part = { .name = (char *)"p", .data = (char *)"a\0b", .size = 3 };

    r.url = strdup("http://a/");
    r.session = strdup("s");
    r.body = malloc(4);
    memcpy(r.body, "x\0y", 4);
    r.body_size = 3;
    r.body_type = "text/plain";
    request_add_part(&r, &part, &err);
    request_add_header(&r, "X", "1", &err);
    cr_assert_eq(request_merge_copy(&defaults, &r, &err), 0);
    request_destroy(&r);

    cr_assert_str_eq(defaults.url, "http://a/");
    cr_assert_str_eq(defaults.session, "s");
    cr_assert_eq(memcmp(defaults.body, "x\0y", 4), 0);
    cr_assert_eq(defaults.body_size, 3);
    cr_assert_eq(memcmp(defaults.parts[0].data, "a\0b", 4), 0);
    cr_assert_str_eq(defaults.headers.items[0].value, "1");
}

Test(defaults, a_copy_holds_also_what_nobody_gave)
{
    r.proxy = strdup("http://lent"); /* by the session: its bit isn't set */
    r.max_body_bytes = 7;
    cr_assert_eq(request_merge_copy(&defaults, &r, &err), 0);

    cr_assert_str_eq(defaults.proxy, "http://lent");
    cr_assert_eq(defaults.max_body_bytes, 7);
    cr_assert_eq(defaults.set, 0);
}

Test(defaults, the_sessions_proxy_auth_is_not_for_a_proxy_that_the_request_names)
{
    defaults.set = SET_PROXY | SET_PROXY_AUTH;
    defaults.proxy = strdup("http://theirs");
    defaults.proxy_auth = (struct credentials){ strdup("u"), strdup("p") };
    r.set = SET_PROXY;
    r.proxy = strdup("http://mine");
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);

    cr_assert_str_eq(r.proxy, "http://mine");
    cr_assert_null(r.proxy_auth.user);
}

Test(defaults, what_came_from_the_session_is_known)
{
    const struct cookie cookie = { .name = (char *)"c", .value = (char *)"1" };

    defaults.set = SET_AUTH | SET_VERIFY;
    r.set = SET_VERIFY;
    request_add_header(&r, "X-Own", "1", &err);
    request_add_header(&r, "X-Both", "1", &err);
    request_add_header(&defaults, "x-both", "2", &err);
    request_add_header(&defaults, "X-Lent", "2", &err);
    request_add_cookie(&defaults, &cookie, &err);
    for (int i = 0; i < 2; i++) { /* a fetch may be submitted again */
        cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);
        cr_assert_eq(r.lent, SET_AUTH);
        cr_assert_eq(r.lent_headers, 1);
        cr_assert_eq(r.lent_cookies, 1);
        cr_assert(request_is_lent_header(&r, 2) && !request_is_lent_header(&r, 1));
    }
    request_destroy(&defaults);
    cr_assert_eq(request_merge_copy(&defaults, &r, &err), 0);
    cr_assert_eq(defaults.lent, SET_AUTH);
    cr_assert_eq(defaults.lent_headers, 1);
    cr_assert_eq(defaults.lent_cookies, 1);
}

/* Enough of both that the names are sorted, not compared each with each. */
Test(defaults, of_many_headers_and_cookies_the_request_s_own_win_too)
{
    char name[20];

    for (int i = 0; i < 100; i++) {
        struct cookie own = { .name = name, .value = (char *)"own" };
        struct cookie theirs = { .name = name, .value = (char *)"default" };

        snprintf(name, sizeof name, "N%d", i);
        cr_assert_eq(request_add_header(&defaults, name, "default", &err), 0);
        cr_assert_eq(request_add_cookie(&defaults, &theirs, &err), 0);
        snprintf(name, sizeof name, "n%d", 2 * i);
        cr_assert_eq(request_add_header(&r, name, i == 0 ? NULL : "own", &err), 0);
        snprintf(name, sizeof name, "N%d", 2 * i);
        cr_assert_eq(request_add_cookie(&r, &own, &err), 0);
    }
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);
    cr_assert_eq(r.headers.count, 150);
    cr_assert_eq(r.cookies.count, 150);
    cr_assert_null(headers_get(&r.headers, "N0"), "removed, and not given back");
    cr_assert_str_eq(headers_get(&r.headers, "N98"), "own");
    cr_assert_str_eq(headers_get(&r.headers, "N99"), "default");
    cr_assert_str_eq(r.headers.items[100].name, "N1", "in their order, behind");
    cr_assert_str_eq(r.cookies.items[149].name, "N99");
}

Test(defaults, ten_thousand_of_each_take_a_moment)
{
    clock_t start = clock();

    r.most.headers = defaults.most.headers = 10000;
    for (int i = 0; i < 10000; i++) {
        cr_assert_eq(request_add_header(&r, "a", "", &err), 0);
        cr_assert_eq(request_add_header(&defaults, "b", "", &err), 0);
    }
    cr_assert_eq(request_merge_defaults(&r, &defaults, &err), 0);
    cr_assert_eq(r.headers.count, 20000);
    cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 4, "each with each takes a second");
}
