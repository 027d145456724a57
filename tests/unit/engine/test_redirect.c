/* test_redirect.c - following a redirect: which hop comes next, and how. */

#include "engine/redirect.h"

#include "support/redirect_origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct redirect_origin t;

static void
setup(void)
{
    redirect_origin_open(&t);
}

static void
teardown(void)
{
    redirect_origin_close(&t);
}

TestSuite(redirect, .init = setup, .fini = teardown, .timeout = 60);

/* -- methods ------------------------------------------------------------- */

static void
becomes(int status, const char *method, const char *wanted, bool keeps_body)
{
    struct curlew_fetch *f = redirect_go(&t, status);
    bool sends = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
    char line[64];

    t.location = "/end";
    cr_assert_eq(curlew_fetch_set_method(f, method), 0);
    if (sends)
        cr_assert_eq(curlew_fetch_set_body(f, "payload", 7, "text/x"), 0);
    redirect_run(&t, f);
    snprintf(line, sizeof line, "%s /end HTTP/1.1\r\n", wanted);
    cr_assert_eq(strncmp(t.last, line, strlen(line)), 0, "%d %s: %s", status, method, t.last);
    cr_assert_str_eq(t.last_body, keeps_body ? "payload" : "", "%d %s", status, method);
    cr_assert_eq(redirect_said(t.last, "Content-Type: text/x"), keeps_body, "%d %s", status,
                 method);
    curlew_fetch_free(f);
}

Test(redirect, a_301_or_302_turns_a_post_into_a_get_and_nothing_else)
{
    for (int status = 301; status <= 302; status++) {
        becomes(status, "POST", "GET", false);
        becomes(status, "PUT", "PUT", true);
        becomes(status, "PATCH", "PATCH", true);
        becomes(status, "DELETE", "DELETE", true);
        becomes(status, "GET", "GET", false);
        becomes(status, "HEAD", "HEAD", false);
    }
}

Test(redirect, a_303_turns_all_but_head_into_a_get)
{
    becomes(303, "POST", "GET", false);
    becomes(303, "PUT", "GET", false);
    becomes(303, "DELETE", "GET", false);
    becomes(303, "GET", "GET", false);
    becomes(303, "HEAD", "HEAD", false);
}

Test(redirect, a_307_or_308_changes_nothing_and_sends_the_body_again)
{
    for (int status = 307; status <= 308; status++) {
        becomes(status, "POST", "POST", true);
        becomes(status, "PUT", "PUT", true);
        becomes(status, "GET", "GET", false);
        becomes(status, "HEAD", "HEAD", false);
    }
}

Test(redirect, a_multipart_body_is_sent_again_whole)
{
    struct curlew_fetch *f = redirect_go(&t, 307);
    const struct part part = { .name = (char *)"n", .data = (char *)"v", .size = 1 };

    t.location = "/end";
    cr_assert_eq(request_add_part(&f->request, &part, &t.err), 0);
    redirect_run(&t, f);
    cr_assert_not_null(strstr(t.last_body, "name=\"n\"\r\n\r\nv\r\n"), "%s", t.last_body);
    curlew_fetch_free(f);
}

static void
stays(int status)
{
    struct curlew_fetch *f = redirect_go(&t, status);

    t.location = "/end";
    redirect_run(&t, f);
    cr_assert_eq(curlew_fetch_status(f), status);
    cr_assert_eq(f->response.history_count, 0);
    curlew_fetch_free(f);
}

Test(redirect, other_statuses_with_a_location_are_the_answer)
{
    stays(200);
    stays(201);
    stays(300);
    stays(305);
    stays(306);
    stays(400);
}

Test(redirect, a_redirect_without_location_is_the_answer)
{
    struct curlew_fetch *f = redirect_go(&t, 302);

    t.location = "";
    redirect_run(&t, f);
    cr_assert_eq(curlew_fetch_status(f), 302);
    curlew_fetch_free(f);
}

Test(redirect, may_be_left_alone)
{
    struct curlew_fetch *f = redirect_go(&t, 302);
    size_t n;

    t.location = "/end";
    f->request.follow_redirects = false;
    f->request.set |= SET_FOLLOW_REDIRECTS;
    redirect_run(&t, f);
    cr_assert_eq(curlew_fetch_status(f), 302);
    cr_assert_str_eq(curlew_fetch_header(f, "location"), "/end");
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, strlen("a body on the way"));
    curlew_fetch_free(f);
}

/* -- what is told -------------------------------------------------------- */

Test(redirect, the_chain_stands_in_the_history)
{
    struct curlew_fetch *f = redirect_run(&t, runner_fetch("%s/3", t.near.url));
    const struct response *r = &f->response;
    char url[128];
    size_t n;

    cr_assert_eq(r->history_count, 3);
    snprintf(url, sizeof url, "%s/3", t.near.url);
    cr_assert_str_eq(r->history[0].url, url);
    cr_assert_eq(r->history[0].status, 302);
    cr_assert_str_eq(r->history[0].headers.items[1].value, "/2");
    snprintf(url, sizeof url, "%s/end", t.near.url);
    cr_assert_str_eq(r->head.url, url);
    cr_assert_str_eq(curlew_fetch_header(f, "x-end"), "1");
    cr_assert_null(curlew_fetch_header(f, "x-hop"));
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "the end", 7), 0);
    cr_assert_eq(n, 7, "the bodies on the way are gone");
    cr_assert_eq(r->body_bytes, 7);
    cr_assert_eq(counter_read(&t.engine->config->bodies->bytes), 7);
    curlew_fetch_free(f);
}

Test(redirect, relative_locations_go_by_the_URL_that_answered)
{
    static const char *const ways[] = { "/end", "end", "./end", "../end", "?x=1/../end", "//" };
    char absolute[128];

    for (size_t i = 0; i < 4; i++) {
        t.location = ways[i];
        curlew_fetch_free(redirect_run(&t, redirect_go(&t, 302)));
        cr_assert_eq(strncmp(t.last, "GET /end ", 9), 0, "%s: %s", ways[i], t.last);
    }
    snprintf(absolute, sizeof absolute, "//127.0.0.1:%d/end", t.near.port);
    t.location = absolute;
    curlew_fetch_free(redirect_run(&t, redirect_go(&t, 302)));
}

/* -- limits -------------------------------------------------------------- */

static struct curlew_fetch *
follow_at_most(int hops, int max)
{
    struct curlew_fetch *f = runner_fetch("%s/%d", t.near.url, hops);

    f->request.max_redirects = max;
    f->request.set |= SET_MAX_REDIRECTS;
    return runner_do(t.engine, f);
}

Test(redirect, exactly_as_many_as_allowed_are_followed)
{
    struct curlew_fetch *f = follow_at_most(5, 5);

    cr_assert_str_eq(runner_code(f), "ok");
    curlew_fetch_free(f);
    f = follow_at_most(6, 5);
    cr_assert_str_eq(runner_code(f), "too_many_redirects");
    cr_assert_str_eq(curlew_fetch_detail(f), "more than 5 redirects");
    cr_assert_eq(f->response.history_count, 5);
    curlew_fetch_free(f);
}

Test(redirect, of_0_allowed_the_first_is_one_too_many)
{
    struct curlew_fetch *f = follow_at_most(1, 0);

    cr_assert_str_eq(runner_code(f), "too_many_redirects");
    curlew_fetch_free(f);
}

Test(redirect, an_endless_chain_ends_at_the_default_of_30)
{
    struct curlew_fetch *f = runner_do(t.engine, runner_fetch("%s/1000", t.near.url));

    cr_assert_str_eq(runner_code(f), "too_many_redirects");
    cr_assert_eq(f->response.history_count, 30);
    cr_assert_eq(origin_requests(&t.near), 31);
    cr_assert_eq(origin_connections(&t.near), 1, "all over one connection");
    curlew_fetch_free(f);
}

/* -- where to ------------------------------------------------------------ */

static void
leads_to(const char *where, const char *code)
{
    struct curlew_fetch *f = redirect_go(&t, 302);

    t.location = where;
    runner_do(t.engine, f);
    cr_assert_str_eq(runner_code(f), code, "%s: %s", where, curlew_fetch_detail(f));
    cr_assert_eq(f->response.history_count, 0);
    curlew_fetch_free(f);
}

Test(redirect, to_another_scheme_is_blocked)
{
    leads_to("file:///etc/passwd", "blocked");
    leads_to("FILE:///etc/passwd", "blocked");
    leads_to("ftp://127.0.0.1/", "blocked");
    leads_to("gopher://127.0.0.1/", "blocked");
    leads_to("dict://127.0.0.1/", "blocked");
    leads_to("ldap://127.0.0.1/", "blocked");
    leads_to("scp://127.0.0.1/", "blocked");
}

Test(redirect, to_an_address_that_is_not_allowed_is_blocked)
{
    leads_to("http://10.0.0.1/", "blocked");
    leads_to("http://169.254.169.254/latest/meta-data/", "blocked");
    leads_to("http://[::1]/", "blocked");
    leads_to("http://[::ffff:10.0.0.1]/", "blocked");
    leads_to("http://0xa000001/", "blocked");
    leads_to("//192.168.0.1/", "blocked");
    cr_assert_eq(counter_read(&t.engine->stats.guard_refusals), 6);
}

Test(redirect, to_a_URL_that_is_none_is_the_origins_fault)
{
    leads_to("http://127.0.0.1:0/", "protocol_error");
    leads_to("http://127.0.0.1:99999/", "protocol_error");
}
