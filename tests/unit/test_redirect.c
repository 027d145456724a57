/* test_redirect.c - following a redirect: which hop comes next, and how. */

#include "session/redirect.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct origin near, far; /* 127.0.0.1 and 127.0.0.2 */
static struct curlew *c;
static struct failure why;
static char first[65536], last[65536]; /* heads: of the first request, and of the one to /end */
static char last_body[1024];
static const char *location; /* of /go */
static char field[8192];

/* /go redirects by the status after it, /go?301, to the location; /N goes on to /N-1, down to /end. */
static void
serve(struct exchange *x)
{
    int status = strncmp(x->target, "/go?", 4) == 0 ? atoi(x->target + 4) : 302;
    char next[32];

    if (exchange_is(x, "/end")) {
        snprintf(last, sizeof last, "%s", x->head);
        snprintf(last_body, sizeof last_body, "%s", x->body);
        exchange_reply(x, 200, "X-End: 1\r\n", "the end");
    } else if (exchange_is(x, "/back")) {
        snprintf(field, sizeof field, "Location: %s/end\r\n", near.url);
        exchange_reply(x, 302, field, "");
    } else if (strncmp(x->target, "/go", 3) == 0) {
        snprintf(first, sizeof first, "%s", x->head);
        snprintf(field, sizeof field, "Location: %s\r\nX-Hop: 1\r\n", location);
        exchange_reply(x, status, field, "a body on the way");
    } else {
        snprintf(next, sizeof next, "Location: /%d\r\n", atoi(x->target + 1) - 1);
        exchange_reply(x, 302, atoi(x->target + 1) == 1 ? "Location: end\r\n" : next, "");
    }
}

static void
setup(void)
{
    origin_start(&near, "127.0.0.1", serve);
    origin_start(&far, "127.0.0.2", serve);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(redirect, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
go(int status)
{
    return runner_fetch("%s/go?%d", near.url, status);
}

static struct curlew_fetch *
run(struct curlew_fetch *f)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    return f;
}

static bool
said(const char *head, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

static void
to_far_end(void)
{
    static char url[128];

    snprintf(url, sizeof url, "%s/end", far.url);
    location = url;
}

/* -- methods ------------------------------------------------------------- */

static void
becomes(int status, const char *method, const char *wanted, bool keeps_body)
{
    struct curlew_fetch *f = go(status);
    bool sends = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
    char line[64];

    location = "/end";
    curlew_fetch_set_method(f, method);
    if (sends)
        curlew_fetch_set_body(f, "payload", 7, "text/x");
    run(f);
    snprintf(line, sizeof line, "%s /end HTTP/1.1\r\n", wanted);
    cr_assert_eq(strncmp(last, line, strlen(line)), 0, "%d %s: %s", status, method, last);
    cr_assert_str_eq(last_body, keeps_body ? "payload" : "", "%d %s", status, method);
    cr_assert_eq(said(last, "Content-Type: text/x"), keeps_body, "%d %s", status, method);
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
    struct curlew_fetch *f = go(307);
    const struct part part = { .name = (char *)"n", .data = (char *)"v", .size = 1 };

    location = "/end";
    cr_assert_eq(request_add_part(&f->request, &part, &why), 0);
    run(f);
    cr_assert_not_null(strstr(last_body, "name=\"n\"\r\n\r\nv\r\n"), "%s", last_body);
    curlew_fetch_free(f);
}

static void
stays(int status)
{
    struct curlew_fetch *f = go(status);

    location = "/end";
    run(f);
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
    struct curlew_fetch *f = go(302);

    location = "";
    run(f);
    cr_assert_eq(curlew_fetch_status(f), 302);
    curlew_fetch_free(f);
}

Test(redirect, may_be_left_alone)
{
    struct curlew_fetch *f = go(302);
    size_t n;

    location = "/end";
    f->request.follow_redirects = false;
    f->request.set |= SET_FOLLOW_REDIRECTS;
    run(f);
    cr_assert_eq(curlew_fetch_status(f), 302);
    cr_assert_str_eq(curlew_fetch_header(f, "location"), "/end");
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, strlen("a body on the way"));
    curlew_fetch_free(f);
}

/* -- what is told -------------------------------------------------------- */

Test(redirect, the_chain_stands_in_the_history)
{
    struct curlew_fetch *f = run(runner_fetch("%s/3", near.url));
    const struct response *r = &f->response;
    char url[128];
    size_t n;

    cr_assert_eq(r->history_count, 3);
    snprintf(url, sizeof url, "%s/3", near.url);
    cr_assert_str_eq(r->history[0].url, url);
    cr_assert_eq(r->history[0].status, 302);
    cr_assert_str_eq(r->history[0].headers.items[1].value, "/2");
    snprintf(url, sizeof url, "%s/end", near.url);
    cr_assert_str_eq(r->head.url, url);
    cr_assert_str_eq(curlew_fetch_header(f, "x-end"), "1");
    cr_assert_null(curlew_fetch_header(f, "x-hop"));
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "the end", 7), 0);
    cr_assert_eq(n, 7, "the bodies on the way are gone");
    cr_assert_eq(r->body_bytes, 7);
    cr_assert_eq(counter_read(&c->stats.buffered), 7);
    curlew_fetch_free(f);
}

Test(redirect, relative_locations_go_by_the_URL_that_answered)
{
    static const char *const ways[] = { "/end", "end", "./end", "../end", "?x=1/../end", "//" };
    char absolute[128];

    for (size_t i = 0; i < 4; i++) {
        location = ways[i];
        curlew_fetch_free(run(go(302)));
        cr_assert_eq(strncmp(last, "GET /end ", 9), 0, "%s: %s", ways[i], last);
    }
    snprintf(absolute, sizeof absolute, "//127.0.0.1:%d/end", near.port);
    location = absolute;
    curlew_fetch_free(run(go(302)));
}

/* -- limits -------------------------------------------------------------- */

static struct curlew_fetch *
follow_at_most(int hops, int max)
{
    struct curlew_fetch *f = runner_fetch("%s/%d", near.url, hops);

    f->request.max_redirects = max;
    f->request.set |= SET_MAX_REDIRECTS;
    return runner_do(c, f);
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
    struct curlew_fetch *f = runner_do(c, runner_fetch("%s/1000", near.url));

    cr_assert_str_eq(runner_code(f), "too_many_redirects");
    cr_assert_eq(f->response.history_count, 30);
    cr_assert_eq(origin_requests(&near), 31);
    cr_assert_eq(origin_connections(&near), 1, "all over one connection");
    curlew_fetch_free(f);
}

/* -- where to ------------------------------------------------------------ */

static void
leads_to(const char *where, const char *code)
{
    struct curlew_fetch *f = go(302);

    location = where;
    runner_do(c, f);
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
    cr_assert_eq(counter_read(&c->stats.guard_refusals), 6);
}

Test(redirect, to_a_URL_that_is_none_is_the_origins_fault)
{
    leads_to("http://127.0.0.1:0/", "protocol_error");
    leads_to("http://127.0.0.1:99999/", "protocol_error");
}

/* -- credentials --------------------------------------------------------- */

static struct curlew_fetch *
with_secrets(struct curlew_fetch *f)
{
    const struct cookie own = { .name = (char *)"own", .value = (char *)"1" };

    cr_assert_eq(request_add_header(&f->request, "Authorization", "Custom secret", &why), 0);
    cr_assert_eq(request_add_header(&f->request, "authorization", "Custom other", &why), 0);
    cr_assert_eq(request_add_header(&f->request, "Proxy-Authorization", "Custom secret", &why), 0);
    cr_assert_eq(request_add_header(&f->request, "Cookie", "header=secret", &why), 0);
    cr_assert_eq(request_add_header(&f->request, "Host", "named.example", &why), 0);
    cr_assert_eq(request_add_header(&f->request, "X-Other", "kept", &why), 0);
    cr_assert_eq(request_add_cookie(&f->request, &own, &why), 0);
    return f;
}

Test(redirect, secrets_stay_with_the_origin_they_were_given_for)
{
    struct curlew_fetch *f = with_secrets(go(307));

    to_far_end();
    run(f);
    cr_assert_not_null(strcasestr(first, "\r\nAuthorization: Custom secret"));
    cr_assert_null(strcasestr(last, "secret"), "%s", last);
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    cr_assert_null(strcasestr(last, "cookie"), "%s", last);
    cr_assert_null(strcasestr(last, "named.example"), "%s", last);
    cr_assert(said(last, "X-Other: kept"));
    curlew_fetch_free(f);
}

Test(redirect, secrets_go_along_within_the_origin)
{
    struct curlew_fetch *f = with_secrets(go(307));

    location = "/end";
    run(f);
    cr_assert(said(last, "Authorization: Custom secret"), "%s", last);
    cr_assert(said(last, "Host: named.example"), "%s", last);
    cr_assert_not_null(strstr(last, "header=secret"), "%s", last);
    curlew_fetch_free(f);
}

static void
set_auth(struct curlew_fetch *f, enum auth_kind kind)
{
    f->request.auth = kind;
    f->request.auth_pair = (struct credentials){ strdup("user"), strdup("pass") };
    f->request.auth_token = strdup("token");
    f->request.set |= SET_AUTH;
}

Test(redirect, basic_and_bearer_stay_with_their_origin)
{
    for (enum auth_kind kind = AUTH_BASIC; kind <= AUTH_BEARER; kind++) {
        struct curlew_fetch *f = go(302);

        to_far_end();
        set_auth(f, kind);
        run(f);
        cr_assert_null(strcasestr(last, "authorization"), "%s", last);
        curlew_fetch_free(f);
    }
}

Test(redirect, another_port_is_another_origin)
{
    struct curlew_fetch *f = go(302);
    struct origin beside;
    char url[128];

    origin_start(&beside, "127.0.0.1", serve);
    snprintf(url, sizeof url, "%s/end", beside.url);
    location = url;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    curlew_fetch_free(f);
}

Test(redirect, secrets_do_not_come_back_by_way_of_another_origin)
{
    struct curlew_fetch *f = go(302);
    char there[128];

    snprintf(there, sizeof there, "%s/back", far.url); /* which leads to /end, here */
    location = there;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert_str_eq(f->response.history[1].url, there);
    cr_assert_eq(strncmp(f->response.head.url, near.url, strlen(near.url)), 0);
    cr_assert(said(first, "Authorization: Basic dXNlcjpwYXNz"));
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    curlew_fetch_free(f);
}

Test(redirect, credentials_in_a_location_go_to_that_place_alone)
{
    struct curlew_fetch *f = go(302);
    char url[128];

    snprintf(url, sizeof url, "http://there:there@127.0.0.2:%d/end", far.port);
    location = url;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert(said(last, "Authorization: Basic dGhlcmU6dGhlcmU="), "%s", last);
    cr_assert_null(strstr(f->response.head.url, "there:"), "%s", f->response.head.url);
    curlew_fetch_free(f);
}
