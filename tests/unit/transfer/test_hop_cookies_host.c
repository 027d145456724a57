/* test_hop_cookies_host.c - whose cookies they are, in redirects between hosts. */

#include "support/cookie_origin.h"

TestSuite(hop_cookies_host, .init = setup, .fini = teardown, .timeout = 60);

/* To 127.0.0.2 and back, each with a cookie in the jar; the far one deletes nothing. */
static struct test_origin far;

static void
go_far(struct seen_request *x)
{
    char fields[200];

    snprintf(fields, sizeof fields, "Location: %s/\r\nSet-Cookie: near=new\r\n", far.url);
    if (origin_is(x, "/start"))
        origin_reply(x, 302, fields, "");
    else
        set_and_tell(x);
}

static void
go_near(struct seen_request *x)
{
    char fields[200];

    snprintf(fields, sizeof fields, "Location: %s/\r\n%s", o.url,
             origin_has(x, "Cookie: far=1") ? "Set-Cookie: met=1\r\n" : "");
    if (origin_is(x, "/far"))
        origin_reply(x, 200, "Set-Cookie: far=1\r\n", "");
    else
        origin_reply(x, 302, fields, "");
}

Test(hop_cookies_host, a_redirect_chain_over_two_hosts_gets_the_cookies_of_each_once)
{
    struct curlew_fetch *f;
    size_t n;

    origin_start(&far, "127.0.0.2", go_near);
    o.on_request = go_far;
    sent_to("/set?near=old");
    sent_by(runner_fetch("%s/far", far.url));
    f = runner_do(c, to("/start"));
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));

    cr_assert_str_eq(curlew_fetch_body(f, &n), "near=new", "not overwritten by the old one");
    cr_assert_str_eq(left_by(f, "met")->domain, "127.0.0.2");
    curlew_fetch_free(f);
}

/* Else a caller could have them sent to an origin of his own. */
Test(hop_cookies_host, a_Host_field_gets_no_cookies_of_the_host_that_it_names)
{
    const struct cookie of_a = { .name = (char *)"sid",
                                 .value = (char *)"1",
                                 .domain = (char *)"a.example" };
    struct curlew_fetch *f = to("/");

    cr_assert_eq(request_add_header(&f->request, "Host", "a.example:81", &err), 0);
    add_cookie(f, "mine", "1");
    cr_assert_eq(request_add_cookie(&f->request, &of_a, &err), 0);
    cr_assert_str_eq(sent_by(f), "mine=1");
}

Test(hop_cookies_host, under_a_Host_field_the_jar_has_the_cookies_of_the_URLs_host)
{
    struct curlew_fetch *f = to("/set?sid=1");

    cr_assert_eq(request_add_header(&f->request, "Host", "a.example", &err), 0);
    cr_assert_str_eq(sent_by(f), "");
    cr_assert_str_eq(sent_to("/"), "sid=1");
    f = to("/");
    cr_assert_eq(request_add_header(&f->request, "host", "a.example", &err), 0);
    cr_assert_str_eq(sent_by(f), "sid=1");
}

Test(hop_cookies_host, an_own_secure_cookie_is_not_sent_in_the_clear)
{
    const struct cookie own = { .name = (char *)"s", .value = (char *)"1", .secure = true };
    struct curlew_fetch *f;

    origin_start(&far, "127.0.0.2", set_and_tell);
    f = runner_fetch("%s/", far.url);
    cr_assert_eq(request_add_cookie(&f->request, &own, &err), 0);
    cr_assert_str_eq(sent_by(f), "");
}
