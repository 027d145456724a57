/* test_transfer.c - one hop of a fetch: what goes out. */

#include "support/echo_origin.h"

TestSuite(transfer, .init = setup, .fini = teardown, .timeout = 60);

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

    cr_assert_eq(request_add_part(&f->request, &plain, &err), 0);
    cr_assert_eq(request_add_part(&f->request, &file, &err), 0);
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
