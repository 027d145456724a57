/* test_transfer.c - one hop of a fetch: what goes out, and what the end of it means. */

#include "session/transfer.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct origin o;
static struct curlew *c;
static struct failure why;
static char head[1 << 16], body[1 << 16]; /* of the last request */

static void
note_and_answer(struct exchange *x)
{
    snprintf(head, sizeof head, "%s", x->head);
    snprintf(body, sizeof body, "%s", x->body);
    if (exchange_is(x, "/cut")) {
        exchange_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour");
        x->close = true;
    } else if (exchange_is(x, "/cut-chunk")) {
        exchange_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n");
        x->close = true;
    } else if (exchange_is(x, "/nothing")) {
        x->close = true;
    } else if (exchange_is(x, "/no-http")) {
        exchange_say(x, "220 mail.example ESMTP\r\n");
        x->close = true;
    } else if (exchange_is(x, "/until-close")) {
        exchange_say(x, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
        x->close = true;
    } else if (exchange_is(x, "/no-gzip")) {
        exchange_reply(x, 200, "Content-Encoding: gzip\r\n", "this is no gzip");
    } else {
        exchange_reply(x, 200, "", "hello");
    }
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", note_and_answer);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(transfer, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static void
succeeds(struct curlew_fetch *f)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
}

static void
fails(const char *path, const char *code)
{
    struct curlew_fetch *f = runner_do(c, to(path));

    cr_assert_str_eq(runner_code(f), code, "%s: %s", path, curlew_fetch_detail(f));
    cr_assert_neq(f->failure.curl_code, 0);
    curlew_fetch_free(f);
}

static bool
sent(const char *line)
{
    char wanted[1024];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

static bool
sent_any(const char *name)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    return strcasestr(head, wanted) != NULL;
}

static bool
asked(const char *line)
{
    return strncmp(head, line, strlen(line)) == 0;
}

static void
add_header(struct curlew_fetch *f, const char *name, const char *value)
{
    cr_assert_eq(request_add_header(&f->request, name, value, &why), 0);
}

static void
set_body(struct curlew_fetch *f, const char *text)
{
    cr_assert_eq(curlew_fetch_set_body(f, text, strlen(text), NULL), 0);
}

static void
set_method(struct curlew_fetch *f, const char *method)
{
    cr_assert_eq(curlew_fetch_set_method(f, method), 0);
}

/* -- what goes out ------------------------------------------------------- */

Test(transfer, a_plain_get_says_little_of_itself)
{
    struct curlew_fetch *f = to("/a?b=c");

    succeeds(f);
    cr_assert(asked("GET /a?b=c HTTP/1.1\r\n"), "%s", head);
    cr_assert(sent("User-Agent: curlew/" CURLEW_VERSION));
    cr_assert(sent("Accept: */*"));
    cr_assert(sent_any("accept-encoding"));
    cr_assert_not(sent_any("content-length"));
    cr_assert_not(sent_any("content-type"));
    cr_assert_not(sent_any("expect"));
    cr_assert_not(sent_any("cookie"));
    curlew_fetch_free(f);
}

Test(transfer, decompression_may_be_left_off)
{
    struct curlew_fetch *f = to("/");

    f->request.decompress = false;
    f->request.set |= SET_DECOMPRESS;
    succeeds(f);
    cr_assert_not(sent_any("accept-encoding"));
    curlew_fetch_free(f);
}

Test(transfer, a_body_makes_it_a_post)
{
    struct curlew_fetch *f = to("/");

    set_body(f, "some text");
    f->request.body_type = "text/plain";
    succeeds(f);
    cr_assert(asked("POST / "), "%s", head);
    cr_assert(sent("Content-Type: text/plain"));
    cr_assert(sent("Content-Length: 9"));
    cr_assert_str_eq(body, "some text");
    cr_assert_eq(f->response.bytes_sent, 9);
    curlew_fetch_free(f);
}

Test(transfer, a_large_body_goes_out_whole_and_without_asking_first)
{
    struct curlew_fetch *f = to("/");
    char *large = calloc(1, 60001);

    memset(large, 'x', 60000);
    set_body(f, large);
    succeeds(f);
    cr_assert_not(sent_any("expect"));
    cr_assert_str_eq(body, large);
    free(large);
    curlew_fetch_free(f);
}

Test(transfer, a_header_of_the_caller_takes_the_place_of_the_default)
{
    struct curlew_fetch *f = to("/");

    set_body(f, "{}");
    f->request.body_type = "text/plain";
    add_header(f, "content-type", "application/json");
    add_header(f, "user-agent", "mine");
    add_header(f, "accept", "text/html");
    add_header(f, "host", "other.example");
    succeeds(f);
    cr_assert(sent("content-type: application/json"));
    cr_assert_not(sent("Content-Type: text/plain"));
    cr_assert(sent("user-agent: mine"));
    cr_assert_null(strstr(head, "curlew/"));
    cr_assert(sent("Host: other.example"));
    cr_assert_null(strstr(head, "127.0.0.1"));
    curlew_fetch_free(f);
}

Test(transfer, a_header_without_value_removes_the_default_and_an_empty_one_is_sent)
{
    struct curlew_fetch *f = to("/");

    add_header(f, "Accept", NULL);
    add_header(f, "User-Agent", NULL);
    add_header(f, "X-Empty", "");
    add_header(f, "X-Odd", " ; a: b");
    succeeds(f);
    cr_assert_not(sent_any("accept"));
    cr_assert_not(sent_any("user-agent"));
    cr_assert(sent("X-Empty:"), "%s", head);
    cr_assert(sent_any("x-odd"), "%s", head);
    curlew_fetch_free(f);
}

Test(transfer, a_header_given_twice_is_sent_twice)
{
    struct curlew_fetch *f = to("/");

    add_header(f, "X-Two", "1");
    add_header(f, "X-Two", "2");
    succeeds(f);
    cr_assert(sent("X-Two: 1"));
    cr_assert(sent("X-Two: 2"));
    curlew_fetch_free(f);
}

static void
method_goes_out(const char *method, const char *with, bool zero_length)
{
    struct curlew_fetch *f = to("/");
    char line[64];

    set_method(f, method);
    if (with != NULL)
        set_body(f, with);
    succeeds(f);
    snprintf(line, sizeof line, "%s / HTTP/1.1\r\n", method);
    cr_assert(asked(line), "%s gave %s", line, head);
    cr_assert_str_eq(body, with != NULL ? with : "");
    cr_assert_eq(sent("Content-Length: 0"), zero_length, "%s", head);
    curlew_fetch_free(f);
}

Test(transfer, every_method_goes_out_as_it_is_with_and_without_a_body)
{
    method_goes_out("GET", NULL, false);
    method_goes_out("GET", "q", false);
    method_goes_out("POST", NULL, true);
    method_goes_out("POST", "", true);
    method_goes_out("POST", "p", false);
    method_goes_out("PUT", NULL, true);
    method_goes_out("PUT", "p", false);
    method_goes_out("PATCH", "p", false);
    method_goes_out("DELETE", NULL, false);
    method_goes_out("DELETE", "d", false);
    method_goes_out("OPTIONS", NULL, false);
    method_goes_out("purge", NULL, false);
    method_goes_out("HEAD", NULL, false);
}

Test(transfer, a_head_has_the_length_and_no_body)
{
    struct curlew_fetch *f = to("/");
    size_t n;

    set_method(f, "HEAD");
    succeeds(f);
    cr_assert_str_eq(curlew_fetch_header(f, "content-length"), "5");
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, 0);
    curlew_fetch_free(f);
}

Test(transfer, a_handle_used_before_brings_nothing_along)
{
    struct curlew_fetch *f = to("/");

    set_method(f, "PUT");
    set_body(f, "secret");
    add_header(f, "X-Secret", "1");
    f->request.auth = AUTH_BASIC;
    f->request.auth_pair = (struct credentials){ strdup("u"), strdup("p") };
    f->request.set |= SET_AUTH;
    succeeds(f);
    curlew_fetch_free(f);

    f = to("/next");
    succeeds(f);
    cr_assert(asked("GET /next "), "%s", head);
    cr_assert_not(sent_any("x-secret"));
    cr_assert_not(sent_any("authorization"));
    cr_assert_str_eq(body, "");
    cr_assert(curlew_fetch_reused(f));
    curlew_fetch_free(f);
}

Test(transfer, multipart_holds_every_part)
{
    struct curlew_fetch *f = to("/");
    const struct part plain = { .name = (char *)"a", .data = (char *)"1\0002", .size = 3 };
    const struct part file = { .name = (char *)"f\"q",
                               .data = (char *)"",
                               .filename = (char *)"x.txt",
                               .content_type = (char *)"text/x" };

    cr_assert_eq(request_add_part(&f->request, &plain, &why), 0);
    cr_assert_eq(request_add_part(&f->request, &file, &why), 0);
    succeeds(f);
    cr_assert(asked("POST / "));
    cr_assert_not_null(strstr(head, "Content-Type: multipart/form-data; boundary="), "%s", head);
    cr_assert_not_null(strstr(body, "name=\"a\"\r\n\r\n1"), "%s", body);
    curlew_fetch_free(f);
}

/* -- credentials --------------------------------------------------------- */

Test(transfer, basic_credentials_come_from_the_request_or_from_the_URL)
{
    struct curlew_fetch *f = to("/");

    f->request.auth = AUTH_BASIC;
    f->request.auth_pair = (struct credentials){ strdup("us:er"), strdup("pass") };
    succeeds(f);
    cr_assert(sent("Authorization: Basic dXM6ZXI6cGFzcw=="), "%s", head);
    curlew_fetch_free(f);

    f = runner_fetch("http://user:p%%40ss@127.0.0.1:%d/", o.port);
    succeeds(f);
    cr_assert(sent("Authorization: Basic dXNlcjpwQHNz"), "%s", head);
    curlew_fetch_free(f);
}

Test(transfer, a_bearer_token_is_sent)
{
    struct curlew_fetch *f = to("/");

    f->request.auth = AUTH_BEARER;
    f->request.auth_token = strdup("abc.def");
    succeeds(f);
    cr_assert(sent("Authorization: Bearer abc.def"), "%s", head);
    curlew_fetch_free(f);
}

/* -- the end ------------------------------------------------------------- */

Test(transfer, a_body_cut_short_is_an_error)
{
    fails("/cut", "incomplete_body");
    fails("/cut-chunk", "incomplete_body");
}

Test(transfer, a_connection_closed_without_an_answer_is_an_error)
{
    fails("/nothing", "recv_failed");
}

Test(transfer, an_answer_that_is_no_HTTP_is_an_error)
{
    fails("/no-http", "protocol_error");
}

Test(transfer, content_that_is_not_coded_as_it_says_is_an_error)
{
    fails("/no-gzip", "protocol_error");
}

Test(transfer, a_closed_port_is_an_error)
{
    origin_deafen(&o);
    fails("/", "connect_failed");
}

Test(transfer, a_name_that_does_not_exist_is_an_error)
{
    struct curlew_fetch *f = runner_do(c, runner_fetch("http://no-such-name.invalid/"));

    cr_assert_str_eq(runner_code(f), "dns_failed");
    curlew_fetch_free(f);
}

Test(transfer, a_body_that_ends_with_the_connection_is_whole)
{
    struct curlew_fetch *f = to("/until-close");
    size_t n;

    succeeds(f);
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "all of it", 9), 0);
    cr_assert_eq(n, 9);
    curlew_fetch_free(f);
}

Test(transfer, the_response_tells_about_its_connection)
{
    struct curlew_fetch *f = to("/");

    succeeds(f);
    cr_assert_eq(f->response.http_version, 11);
    cr_assert_str_eq(f->response.remote_ip, "127.0.0.1");
    cr_assert_eq(f->response.remote_port, o.port);
    cr_assert_str_eq(f->response.local_ip, "127.0.0.1");
    cr_assert_gt(f->response.local_port, 0);
    cr_assert_not(f->response.reused);
    cr_assert_str_eq(f->response.head.reason, "Reason 200");
    cr_assert_eq(strncmp(f->response.head.url, o.url, strlen(o.url)), 0);
    cr_assert_gt(f->response.timing.total, 0);
    cr_assert_geq(f->response.timing.total, f->response.timing.first_byte);
    curlew_fetch_free(f);
}

Test(transfer, a_second_fetch_finds_the_connection_warm)
{
    for (int i = 0; i < 5; i++) {
        struct curlew_fetch *f = to("/");

        succeeds(f);
        cr_assert_eq(f->response.reused, i > 0);
        curlew_fetch_free(f);
    }
    cr_assert_eq(origin_connections(&o), 1);
}

Test(transfer, a_proxy_of_the_environment_is_not_used)
{
    struct curlew_fetch *f = to("/");

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    succeeds(f);
    cr_assert(asked("GET / "), "%s", head);
    curlew_fetch_free(f);
}
