/* test_hop_cookies.c - the cookies of a fetch: the jar's, its own, and what responses set. */

#include "transfer/hop_cookies.h"

#include "support/cookie_origin.h"

TestSuite(hop_cookies, .init = setup, .fini = teardown, .timeout = 60);

static void
set_early(struct seen_request *x)
{
    origin_say(x, "HTTP/1.1 103 Early Hints\r\nSet-Cookie: early=1\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nSet-Cookie: late=1\r\nContent-Length: 0\r\n\r\n");
}

static void
set_in_trailer(struct seen_request *x)
{
    origin_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nok\r\n0\r\nSet-Cookie: sid=1\r\n\r\n");
}

static void
set_folded(struct seen_request *x)
{
    origin_say(x, "HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\n 2;\r\n\tPath=/x\r\n"
                  "Content-Length: 0\r\n\r\n");
}

/* -- what is shared ------------------------------------------------------ */

Test(hop_cookies, a_cookie_that_one_fetch_receives_the_next_one_sends)
{
    cr_assert_str_eq(sent_to("/set?sid=1"), "");
    cr_assert_str_eq(sent_to("/"), "sid=1");
    cr_assert_str_eq(sent_to("/set?sid=2"), "sid=1");
    cr_assert_str_eq(sent_to("/"), "sid=2");
}

Test(hop_cookies, a_cookie_stays_under_its_path)
{
    sent_to("/set?sid=1;+Path=/app");

    cr_assert_str_eq(sent_to("/"), "");
    cr_assert_str_eq(sent_to("/app/x"), "sid=1");
}

Test(hop_cookies, a_deleted_cookie_leaves_the_jar)
{
    sent_to("/set?sid=1");
    sent_to("/set?other=2");
    sent_to("/set?sid=;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=2");
}

Test(hop_cookies, a_cookie_deleted_by_a_date_leaves_the_jar)
{
    sent_to("/set?sid=1;+Path=/");
    sent_to("/set?sid=gone;+Path=/;+Expires=Thu,+01+Jan+1970+00:00:00+GMT");

    cr_assert_str_eq(sent_to("/"), "");
}

Test(hop_cookies, clearing_takes_everything_out)
{
    sent_to("/set?sid=1");
    cookie_jar_clear(config_snapshot_find_session(c->config, "default")->state->jar);

    cr_assert_str_eq(sent_to("/"), "");
}

/* -- what is not --------------------------------------------------------- */

Test(hop_cookies, a_requests_own_cookie_is_sent_and_stays_out_of_the_jar)
{
    struct curlew_fetch *f = to("/set?theirs=1");

    add_cookie(f, "mine", "secret");
    cr_assert_str_eq(sent_by(f), "mine=secret");
    cr_assert_str_eq(sent_to("/"), "theirs=1");
}

Test(hop_cookies, a_requests_own_cookie_wins_over_the_jars)
{
    struct curlew_fetch *f = to("/");

    sent_to("/set?sid=jar;+Path=/");
    add_cookie(f, "sid", "own");
    cr_assert_str_eq(sent_by(f), "sid=own");
    cr_assert_str_eq(sent_to("/"), "sid=jar");
}

/* The origin sets a cookie of the same name elsewhere: the request's own is still nobody else's. */
Test(hop_cookies, an_own_cookie_stays_out_though_one_of_its_name_is_set_under_another_path)
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

Test(hop_cookies, an_own_cookie_that_the_origin_renews_is_the_origins_from_then_on)
{
    struct curlew_fetch *f = to("/set?sid=1;+Path=/;+Max-Age=1000");

    add_cookie(f, "sid", "1");
    runner_do(c, f);
    cr_assert_not_null(left_by(f, "sid"));
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "sid=1");
}

Test(hop_cookies, without_a_jar_nothing_outlives_the_fetch)
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

Test(hop_cookies, a_slow_fetch_does_not_undo_anothers_log_in)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=new;+Path=/");

    cr_assert_not_null(strstr(sent_to("/"), "sid=new"));
}

Test(hop_cookies, a_slow_fetch_does_not_undo_anothers_log_out)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=;+Path=/;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=1");
}

Test(hop_cookies, a_slow_fetch_that_sets_a_cookie_of_the_same_name_elsewhere_undoes_nothing)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?sid=x;+Path=/app", "/set?sid=new;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=new");
}

Test(hop_cookies, of_two_log_ins_at_once_the_later_one_stays)
{
    meanwhile("/set-hold?sid=slow;+Path=/", "/set?sid=fast;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=slow");
}

/* -- a chain of redirects ------------------------------------------------ */

Test(hop_cookies, a_cookie_set_by_a_redirect_is_sent_on_and_reported)
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

Test(hop_cookies, own_cookies_go_along_within_the_host)
{
    struct curlew_fetch *f = to("/hop?sid=1;+Path=/elsewhere");

    add_cookie(f, "mine", "1");
    cr_assert_str_eq(sent_by(f), "mine=1");
}

/* -- what is sent --------------------------------------------------------- */

static void
add_big_cookies(struct curlew_fetch *f, int count)
{
    static char value[1000];
    char name[20];

    memset(value, 'x', sizeof value - 1);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "c%d", i);
        add_cookie(f, name, value);
    }
}

Test(hop_cookies, a_field_that_is_too_long_is_a_bad_request_and_nothing_is_sent)
{
    struct curlew_fetch *f = to("/");
    size_t n;

    add_big_cookies(f, HOP_COOKIES_FIELD_MAX / 1010);
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    curlew_fetch_body(f, &n);
    cr_assert_gt(n, 8000);
    curlew_fetch_free(f);

    f = to("/");
    add_big_cookies(f, HOP_COOKIES_FIELD_MAX / 1000);
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "bad_request");
    cr_assert_not_null(strstr(curlew_fetch_detail(f), "cookies: "));
    cr_assert_eq(f->response.bytes_sent, 0);
    curlew_fetch_free(f);
}

Test(hop_cookies, a_Cookie_header_goes_behind_the_others_in_the_same_field)
{
    struct curlew_fetch *f = to("/");

    sent_to("/set?jar=1;+Path=/");
    cr_assert_eq(request_add_header(&f->request, "Cookie", "given=3", &err), 0);
    add_cookie(f, "own", "2");
    cr_assert_str_eq(sent_by(f), "jar=1; own=2; given=3");
}

Test(hop_cookies, a_cookie_that_a_response_deletes_is_reported_and_sent_no_more)
{
    struct curlew_fetch *f = to("/hop?sid=x;+Path=/;+Max-Age=0");
    const struct cookie *left;
    size_t n;

    sent_to("/set?sid=1;+Path=/");
    runner_do(c, f);
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, 0);
    left = left_by(f, "sid");
    cr_assert_not_null(left);
    cr_assert(left->deleted);
    cr_assert_str_eq(left->value, "");
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "");
}

Test(hop_cookies, a_provisional_response_sets_none)
{
    struct curlew_fetch *f;

    o.on_request = set_early;
    f = runner_do(c, to("/"));
    cr_assert_eq(f->response.cookies.count, 1);
    cr_assert_str_eq(f->response.cookies.items[0].name, "late");
    curlew_fetch_free(f);
}

Test(hop_cookies, a_trailer_sets_none)
{
    struct curlew_fetch *f;

    o.on_request = set_in_trailer;
    f = runner_do(c, to("/"));
    cr_assert_str_eq(runner_code(f), "ok");
    cr_assert_eq(f->response.cookies.count, 0);
    curlew_fetch_free(f);
}

Test(hop_cookies, a_folded_field_is_read_whole)
{
    struct curlew_fetch *f;

    o.on_request = set_folded;
    f = runner_do(c, to("/"));
    cr_assert_str_eq(left_by(f, "sid")->value, "1 2");
    cr_assert_str_eq(left_by(f, "sid")->path, "/x");
    curlew_fetch_free(f);
}
