/* test_transfer.c - one hop of a fetch: what goes out. */

#include "transfer/transfer.h"

#include "support/echo_origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct echo_origin t;

static void
setup(void)
{
    echo_origin_open(&t);
}

static void
teardown(void)
{
    echo_origin_close(&t);
}

TestSuite(transfer, .init = setup, .fini = teardown, .timeout = 60);

/* -- what goes out ------------------------------------------------------- */

Test(transfer, a_plain_get_says_little_of_itself)
{
    struct curlew_fetch *f = echo_fetch(&t, "/a?b=c");

    echo_succeed(&t, f);
    cr_assert(echo_got_request(&t, "GET /a?b=c HTTP/1.1\r\n"), "%s", t.head);
    cr_assert(echo_got(&t, "User-Agent: curlew/" CURLEW_VERSION));
    cr_assert(echo_got(&t, "Accept: */*"));
    cr_assert(echo_got_field(&t, "accept-encoding"));
    cr_assert_not(echo_got_field(&t, "content-length"));
    cr_assert_not(echo_got_field(&t, "content-type"));
    cr_assert_not(echo_got_field(&t, "expect"));
    cr_assert_not(echo_got_field(&t, "cookie"));
    curlew_fetch_free(f);
}

Test(transfer, a_body_makes_it_a_post)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_set_body(f, "some text");
    f->request.body_type = "text/plain";
    echo_succeed(&t, f);
    cr_assert(echo_got_request(&t, "POST / "), "%s", t.head);
    cr_assert(echo_got(&t, "Content-Type: text/plain"));
    cr_assert(echo_got(&t, "Content-Length: 9"));
    cr_assert_str_eq(t.body, "some text");
    cr_assert_eq(f->response.bytes_sent, 9);
    curlew_fetch_free(f);
}

Test(transfer, a_large_body_goes_out_whole_and_without_asking_first)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");
    char *large = calloc(1, 60001);

    memset(large, 'x', 60000);
    echo_set_body(f, large);
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "expect"));
    cr_assert_str_eq(t.body, large);
    free(large);
    curlew_fetch_free(f);
}

static void
method_goes_out(const char *method, const char *with, bool zero_length)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");
    char line[64];

    echo_set_method(f, method);
    if (with != NULL)
        echo_set_body(f, with);
    echo_succeed(&t, f);
    snprintf(line, sizeof line, "%s / HTTP/1.1\r\n", method);
    cr_assert(echo_got_request(&t, line), "%s gave %s", line, t.head);
    cr_assert_str_eq(t.body, with != NULL ? with : "");
    cr_assert_eq(echo_got(&t, "Content-Length: 0"), zero_length, "%s", t.head);
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
    struct curlew_fetch *f = echo_fetch(&t, "/");
    size_t n;

    echo_set_method(f, "HEAD");
    echo_succeed(&t, f);
    cr_assert_str_eq(curlew_fetch_header(f, "content-length"), "5");
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, 0);
    curlew_fetch_free(f);
}

Test(transfer, a_handle_used_before_brings_nothing_along)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_set_method(f, "PUT");
    echo_set_body(f, "secret");
    echo_add_header(&t, f, "X-Secret", "1");
    f->request.auth = AUTH_BASIC;
    f->request.auth_pair = (struct credentials){ strdup("u"), strdup("p") };
    f->request.set |= SET_AUTH;
    echo_succeed(&t, f);
    curlew_fetch_free(f);

    f = echo_fetch(&t, "/next");
    echo_succeed(&t, f);
    cr_assert(echo_got_request(&t, "GET /next "), "%s", t.head);
    cr_assert_not(echo_got_field(&t, "x-secret"));
    cr_assert_not(echo_got_field(&t, "authorization"));
    cr_assert_str_eq(t.body, "");
    cr_assert(curlew_fetch_reused(f));
    curlew_fetch_free(f);
}

Test(transfer, multipart_holds_every_part)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");
    const struct part plain = { .name = (char *)"a", .data = (char *)"1\0002", .size = 3 };
    const struct part file = { .name = (char *)"f\"q",
                               .data = (char *)"",
                               .filename = (char *)"x.txt",
                               .content_type = (char *)"text/x" };

    cr_assert_eq(request_add_part(&f->request, &plain, &t.err), 0);
    cr_assert_eq(request_add_part(&f->request, &file, &t.err), 0);
    echo_succeed(&t, f);
    cr_assert(echo_got_request(&t, "POST / "));
    cr_assert_not_null(strstr(t.head, "Content-Type: multipart/form-data; boundary="), "%s",
                       t.head);
    cr_assert_not_null(strstr(t.body, "name=\"a\"\r\n\r\n1"), "%s", t.body);
    curlew_fetch_free(f);
}

/* -- credentials --------------------------------------------------------- */

Test(transfer, basic_credentials_come_from_the_request_or_from_the_URL)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    f->request.auth = AUTH_BASIC;
    f->request.auth_pair = (struct credentials){ strdup("us:er"), strdup("pass") };
    echo_succeed(&t, f);
    cr_assert(echo_got(&t, "Authorization: Basic dXM6ZXI6cGFzcw=="), "%s", t.head);
    curlew_fetch_free(f);

    f = runner_fetch("http://user:p%%40ss@127.0.0.1:%d/", t.origin.port);
    echo_succeed(&t, f);
    cr_assert(echo_got(&t, "Authorization: Basic dXNlcjpwQHNz"), "%s", t.head);
    curlew_fetch_free(f);
}

Test(transfer, a_bearer_token_is_sent)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    f->request.auth = AUTH_BEARER;
    f->request.auth_token = strdup("abc.def");
    echo_succeed(&t, f);
    cr_assert(echo_got(&t, "Authorization: Bearer abc.def"), "%s", t.head);
    curlew_fetch_free(f);
}
