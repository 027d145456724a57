/* test_sent_once.c - how often a hop's request is written, by the calls that libcurl makes. */

#include "transfer/sent_once.h"

#include "support/handle_fixture.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>
#include <string.h>

static struct handle_fixture t;
static struct curlew_fetch *f;

static void
setup(void)
{
    handle_fixture_open(&t);
    f = t.fetch;
}

static void
teardown(void)
{
    handle_fixture_close(&t);
}

TestSuite(sent_once, .init = setup, .fini = teardown, .timeout = 20);

/* Written once, at least a byte of it. */
static void
write_request(const char *method)
{
    f->method = method;
    f->response.attempts = 1;
    sent_once_attach(f);
    cr_assert_eq(sent_once_check(f), 0);
    sent_once_count(f, 7);
    f->hop->request_size = -1; /* libcurl's count of its bytes has grown since */
}

Test(sent_once, what_may_change_something_is_not_written_again)
{
    write_request("POST");
    cr_assert_eq(sent_once_on_open(f), -1);
    cr_assert_eq(f->failure.error, ERROR_RECV_FAILED);
    cr_assert_eq(f->response.attempts, 1);
}

/* As before a hop, where libcurl counts no byte of what it has written. */
static bool
goes_again(const char *url, size_t body)
{
    struct failure err = { 0 };

    url_destroy(&f->url);
    cr_assert_eq(url_parse(&f->url, url, &err), 0);
    f->sends_body = true;
    f->request.body_size = body;
    write_request("POST");
    f->hop->request_size = 0;
    return sent_once_on_open(f) == 0;
}

Test(sent_once, what_was_not_written_goes_again)
{
    cr_assert(goes_again("https://a.test/", 1000));
    cr_assert(goes_again("http://a.test/", 40000), "without TLS, libcurl counts each byte");
}

Test(sent_once, of_several_tls_records_nobody_knows_that_none_was_written)
{
    cr_assert_not(goes_again("https://a.test/", 16000));
    f->request.proxy = strdup("https://proxy.test");
    cr_assert_not(goes_again("http://a.test/", 16000), "TLS to the proxy");
}

Test(sent_once, a_safe_method_is_written_once_more_and_counted)
{
    write_request("GET");
    cr_assert_eq(sent_once_on_open(f), 0);
    cr_assert_eq(sent_once_check(f), 0, "decided already");
    sent_once_count(f, 8);
    cr_assert_eq(f->response.attempts, 2);
    cr_assert_eq(counter_read(&t.fetches.stats.resends[RESEND_SAFE_METHOD]), 1);
    f->hop->request_size = -1;
    cr_assert_eq(sent_once_check(f), -1, "and no third time");
}

Test(sent_once, what_wrote_no_byte_may_go_again_whatever_its_method)
{
    write_request("POST");
    f->hop->request_size = 0; /* as libcurl counts now */
    cr_assert_eq(sent_once_check(f), 0);
    sent_once_count(f, 8);
    cr_assert_eq(counter_read(&t.fetches.stats.resends[RESEND_NOT_PROCESSED]), 1);
}

Test(sent_once, what_was_refused_unprocessed_may_go_again_once)
{
    write_request("POST");
    f->hop->unanswered.refused = true;
    cr_assert_eq(sent_once_check(f), 0);
    sent_once_count(f, 8);
    f->hop->request_size = -1;
    f->hop->unanswered.refused = true;
    cr_assert_eq(sent_once_check(f), -1);
    cr_assert_eq(f->failure.error, ERROR_PROTOCOL_ERROR);
}

Test(sent_once, a_second_writing_needs_a_newer_connection)
{
    cr_assert_not(sent_once_needs_newer(f, 1, true), "nothing is written yet");
    write_request("GET");
    cr_assert(sent_once_needs_newer(f, 7, false));
    cr_assert_not(sent_once_needs_newer(f, 8, false));
    cr_assert(sent_once_needs_newer(f, 8, true), "it may have ended, too");
}

Test(sent_once, what_a_closed_connection_of_http3_cost_goes_again_on_another)
{
    write_request("GET");
    cr_assert_not(sent_once_try_again(f, CURLE_RECV_ERROR), "libcurl does that itself");
    f->request.http_version = HTTP_3;
    cr_assert_not(sent_once_try_again(f, CURLE_RECV_ERROR), "the connection is new");
    f->hop->kept = true;
    cr_assert_not(sent_once_try_again(f, CURLE_HTTP3));
    cr_assert(sent_once_try_again(f, CURLE_RECV_ERROR) && f->hop->restart);
    f->hop->restart = false;
    cr_assert_eq(sent_once_check(f), 0);
    sent_once_count(f, 8);
    f->hop->request_size = -1;
    cr_assert_not(sent_once_try_again(f, CURLE_RECV_ERROR) || f->hop->restart, "only once");
}

Test(sent_once, a_failed_write_on_a_kept_connection_goes_again_on_another)
{
    write_request("GET");
    cr_assert_not(sent_once_try_again(f, CURLE_SEND_ERROR), "the connection is new");
    f->hop->kept = true;
    cr_assert(sent_once_try_again(f, CURLE_SEND_ERROR) && f->hop->restart);
    f->hop->restart = false;
    f->hop->request_size = 0; /* as libcurl counts, until it writes on the other one */
    cr_assert_not(sent_once_try_again(f, CURLE_SEND_ERROR) || f->hop->restart,
                  "the other one could not be had: once more would be without end");
    sent_once_on_response(f);
    cr_assert_not(sent_once_try_again(f, CURLE_SEND_ERROR), "its response had begun");
}

Test(sent_once, nor_does_what_may_change_something_go_again_after_a_byte_of_it)
{
    write_request("POST");
    f->request.http_version = HTTP_3_ONLY;
    f->hop->kept = true;
    cr_assert_not(sent_once_try_again(f, CURLE_SEND_ERROR));
    f->hop->request_size = 0;
    cr_assert(sent_once_try_again(f, CURLE_SEND_ERROR));
}

Test(sent_once, after_a_response_the_next_writing_is_another_request)
{
    write_request("POST");
    sent_once_on_response(f); /* a 401, say */
    cr_assert_eq(sent_once_check(f), 0);
    sent_once_count(f, 7);
    cr_assert_eq(f->response.attempts, 1);
}

Test(sent_once, a_failure_never_says_that_nothing_was_sent_where_it_was)
{
    failure_set(&f->failure, ERROR_CONNECT_FAILED, "refused");
    sent_once_correct_failure(f);
    cr_assert_eq(f->failure.error, ERROR_CONNECT_FAILED, "nothing was written");
    write_request("GET");
    sent_once_correct_failure(f);
    cr_assert_eq(f->failure.error, ERROR_RECV_FAILED);
    cr_assert_not_null(strstr(f->failure.detail, "refused"));
}
