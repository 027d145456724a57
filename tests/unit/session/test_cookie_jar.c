/* test_cookie_jar.c - the cookies of a session, shared by its fetches. */

#include "support/cookie_origin.h"

#include <stdlib.h>

TestSuite(jar, .init = setup, .fini = teardown, .timeout = 60);

/* -- what is shared ------------------------------------------------------ */

Test(jar, a_cookie_that_one_fetch_receives_the_next_one_sends)
{
    cr_assert_str_eq(sent_to("/set?sid=1"), "");
    cr_assert_str_eq(sent_to("/"), "sid=1");
    cr_assert_str_eq(sent_to("/set?sid=2"), "sid=1");
    cr_assert_str_eq(sent_to("/"), "sid=2");
}

Test(jar, a_cookie_stays_under_its_path)
{
    sent_to("/set?sid=1;+Path=/app");

    cr_assert_str_eq(sent_to("/"), "");
    cr_assert_str_eq(sent_to("/app/x"), "sid=1");
}

Test(jar, a_deleted_cookie_leaves_the_jar)
{
    sent_to("/set?sid=1");
    sent_to("/set?other=2");
    sent_to("/set?sid=;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=2");
}

Test(jar, a_cookie_deleted_by_a_date_leaves_the_jar)
{
    sent_to("/set?sid=1;+Path=/");
    sent_to("/set?sid=gone;+Path=/;+Expires=Thu,+01+Jan+1970+00:00:00+GMT");

    cr_assert_str_eq(sent_to("/"), "");
}

Test(jar, clearing_takes_everything_out)
{
    sent_to("/set?sid=1");
    cookie_jar_clear(config_snapshot_find_session(c->config, "default")->state->jar);

    cr_assert_str_eq(sent_to("/"), "");
}

/* -- what is not --------------------------------------------------------- */

Test(jar, a_requests_own_cookie_is_sent_and_stays_out_of_the_jar)
{
    struct curlew_fetch *f = to("/set?theirs=1");

    add_cookie(f, "mine", "secret");
    cr_assert_str_eq(sent_by(f), "mine=secret");
    cr_assert_str_eq(sent_to("/"), "theirs=1");
}

Test(jar, a_requests_own_cookie_wins_over_the_jars)
{
    struct curlew_fetch *f = to("/");

    sent_to("/set?sid=jar;+Path=/");
    add_cookie(f, "sid", "own");
    cr_assert_str_eq(sent_by(f), "sid=own");
    cr_assert_str_eq(sent_to("/"), "sid=jar");
}

/* The origin sets a cookie of the same name elsewhere: the request's own is still nobody else's. */
Test(jar, an_own_cookie_stays_out_though_one_of_its_name_is_set_under_another_path)
{
    struct curlew_fetch *f = to("/set?sid=theirs;+Path=/app");

    add_cookie(f, "sid", "secret");
    runner_do(c, f);
    cr_assert_eq(f->response.cookies.count, 1);
    cr_assert_str_eq(f->response.cookies.items[0].value, "theirs");
    curlew_fetch_free(f);

    cr_assert_str_eq(sent_to("/"), "");
    cr_assert_str_eq(sent_to("/app/"), "sid=theirs");
}

Test(jar, an_own_cookie_that_the_origin_renews_is_the_origins_from_then_on)
{
    struct curlew_fetch *f = to("/set?sid=1;+Path=/;+Max-Age=1000");

    add_cookie(f, "sid", "1");
    runner_do(c, f);
    cr_assert_not_null(left_by(f, "sid"));
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "sid=1");
}

Test(jar, without_a_jar_nothing_outlives_the_fetch)
{
    struct curlew_fetch *f;

    curlew_free(c);
    c = runner_default_engine();
    f = runner_do(c, to("/set?sid=1"));
    cr_assert_str_eq(left_by(f, "sid")->value, "1");
    curlew_fetch_free(f);

    cr_assert_str_eq(sent_to("/"), "");
}

/* -- two at once --------------------------------------------------------- */

static void
meanwhile(const char *slow, const char *fast)
{
    struct run r;

    run_start(&r, c, to(slow));
    origin_await_held(&o, 1);
    sent_to(fast);
    origin_release(&o, 1);
    run_await(&r);
    cr_assert_str_eq(runner_code(r.fetch), "ok");
    curlew_fetch_free(r.fetch);
}

Test(jar, a_slow_fetch_does_not_undo_anothers_log_in)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=new;+Path=/");

    cr_assert_not_null(strstr(sent_to("/"), "sid=new"));
}

Test(jar, a_slow_fetch_does_not_undo_anothers_log_out)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=;+Path=/;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=1");
}

Test(jar, a_slow_fetch_that_sets_a_cookie_of_the_same_name_elsewhere_undoes_nothing)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?sid=x;+Path=/app", "/set?sid=new;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=new");
}

Test(jar, of_two_log_ins_at_once_the_later_one_stays)
{
    meanwhile("/set-hold?sid=slow;+Path=/", "/set?sid=fast;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=slow");
}

/* -- a chain of redirects ------------------------------------------------ */

Test(jar, a_cookie_set_by_a_redirect_is_sent_on_and_reported)
{
    struct curlew_fetch *f = to("/hop?sid=1;+Path=/;+HttpOnly;+Max-Age=1000");
    const struct cookie *left;
    size_t n;

    runner_do(c, f);
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "sid=1", 5), 0);
    left = left_by(f, "sid");
    cr_assert_not_null(left);
    cr_assert_str_eq(left->value, "1");
    cr_assert_str_eq(left->domain, "127.0.0.1");
    cr_assert_str_eq(left->path, "/");
    cr_assert(left->http_only);
    cr_assert_not(left->secure);
    cr_assert_gt(left->expires, 0);
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "sid=1");
}

Test(jar, own_cookies_go_along_within_the_host)
{
    struct curlew_fetch *f = to("/hop?sid=1;+Path=/elsewhere");

    add_cookie(f, "mine", "1");
    cr_assert_str_eq(sent_by(f), "mine=1");
}

Test(jar, an_own_cookie_longer_than_libcurl_takes_is_a_bad_request)
{
    struct curlew_fetch *f = to("/");
    char *value = calloc(1, 20001);

    memset(value, 'x', 20000);
    add_cookie(f, "big", value);
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "bad_request");
    cr_assert_not_null(strstr(curlew_fetch_detail(f), "cookies: "));
    free(value);
    curlew_fetch_free(f);
}
