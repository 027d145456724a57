/* test_request_headers.c - the header lines of a hop's request. */

#include "transfer/request_headers.h"

#include "support/echo_origin.h"

#include <criterion/criterion.h>
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

TestSuite(request_headers, .init = setup, .fini = teardown, .timeout = 60);

Test(request_headers, a_removed_header_is_not_sent)
{
    static const char *const names[] = { "Accept", "user-agent", "ACCEPT-ENCODING" };
    struct curlew_fetch *f = echo_fetch(&t, "/");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        echo_add_header(&t, f, names[i], NULL);
    echo_succeed(&t, f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert_not(echo_got_field(&t, names[i]), "%s", names[i]);
    curlew_fetch_free(f);
}

Test(request_headers, of_a_body_a_removed_content_type_is_not_sent)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_set_body(f, "x");
    echo_add_header(&t, f, "Content-Type", NULL);
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "content-type"));
    curlew_fetch_free(f);
}

/* HTTP/1.1 has no request without one (RFC 9112 section 3.2). */
Test(request_headers, a_removed_host_is_the_urls)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_add_header(&t, f, "Host", NULL);
    echo_succeed(&t, f);
    cr_assert(echo_got_field(&t, "host"));
    curlew_fetch_free(f);
}

/* RFC 9110 section 10.1.1 */
Test(request_headers, without_content_nothing_is_expected)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_add_header(&t, f, "Expect", "100-continue");
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "expect"));
    curlew_fetch_free(f);
    f = echo_fetch(&t, "/");
    echo_set_method(f, "POST");
    echo_add_header(&t, f, "Expect", "100-continue");
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "expect"));
    curlew_fetch_free(f);
}

Test(request_headers, decompression_may_be_left_off)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    f->request.decompress = false;
    f->request.set |= SET_DECOMPRESS;
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "accept-encoding"));
    curlew_fetch_free(f);
}

Test(request_headers, a_header_of_the_caller_takes_the_place_of_the_default)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_set_body(f, "{}");
    f->request.body_type = "text/plain";
    echo_add_header(&t, f, "content-type", "application/json");
    echo_add_header(&t, f, "user-agent", "mine");
    echo_add_header(&t, f, "accept", "text/html");
    echo_add_header(&t, f, "host", "other.example");
    echo_succeed(&t, f);
    cr_assert(echo_got(&t, "content-type: application/json"));
    cr_assert_not(echo_got(&t, "Content-Type: text/plain"));
    cr_assert(echo_got(&t, "user-agent: mine"));
    cr_assert_null(strstr(t.head, "curlew/"));
    cr_assert(echo_got(&t, "Host: other.example"));
    cr_assert_null(strstr(t.head, "127.0.0.1"));
    curlew_fetch_free(f);
}

Test(request_headers, a_header_without_value_removes_the_default_and_an_empty_one_is_sent)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_add_header(&t, f, "Accept", NULL);
    echo_add_header(&t, f, "User-Agent", NULL);
    echo_add_header(&t, f, "X-Empty", "");
    echo_add_header(&t, f, "X-Odd", " ; a: b");
    echo_succeed(&t, f);
    cr_assert_not(echo_got_field(&t, "accept"));
    cr_assert_not(echo_got_field(&t, "user-agent"));
    cr_assert(echo_got(&t, "X-Empty:"), "%s", t.head);
    cr_assert(echo_got_field(&t, "x-odd"), "%s", t.head);
    curlew_fetch_free(f);
}

Test(request_headers, a_header_given_twice_is_sent_twice)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");

    echo_add_header(&t, f, "X-Two", "1");
    echo_add_header(&t, f, "X-Two", "2");
    echo_succeed(&t, f);
    cr_assert(echo_got(&t, "X-Two: 1"));
    cr_assert(echo_got(&t, "X-Two: 2"));
    curlew_fetch_free(f);
}
