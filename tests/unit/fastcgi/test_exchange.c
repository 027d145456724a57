/* test_exchange.c - one request of a web server and the response to it: all that a route sees. */

#include "fastcgi/exchange.h"

#include "support/codec_fixture.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct codec_fixture t;
static struct exchange x;

static void
setup(void)
{
    codec_fixture_open(&t);
    exchange_init(&x);
    x.codec = t.codec;
}

static void
teardown(void)
{
    exchange_reset(&x);
    codec_fixture_close(&t);
    runner_check_leaks();
}

TestSuite(exchange, .init = setup, .fini = teardown, .timeout = 20);

/* The answer, taken in pieces of so many bytes. */
static const char *
answer_in(size_t piece)
{
    static struct buffer text;
    const char *bytes;
    size_t n;

    buffer_free(&text);
    buffer_init(&text, 1 << 24);
    while ((n = exchange_next(&x, &bytes, piece)) > 0) {
        cr_assert_leq(n, piece);
        buffer_add(&text, bytes, n);
    }
    cr_assert_eq(exchange_next(&x, &bytes, piece), 0, "and none again");
    return text.len > 0 ? text.data : "";
}

/* -- what was asked ------------------------------------------------------ */

Test(exchange, tells_method_and_query)
{
    CODEC_ACCEPT(&t, "REQUEST_METHOD", "POST", "QUERY_STRING", "a=b");
    cr_assert_str_eq(exchange_method(&x), "POST");
    cr_assert_str_eq(exchange_query(&x), "a=b");
}

Test(exchange, without_them_it_is_a_get_with_an_empty_query)
{
    CODEC_ACCEPT(&t);
    cr_assert_str_eq(exchange_method(&x), "GET");
    cr_assert_str_eq(exchange_query(&x), "");
}

/* -- the answer ---------------------------------------------------------- */

#define HEAD_OF(length)                                                        \
    "Status: 200 OK\r\nContent-Type: text/x\r\nContent-Length: " length "\r\n" \
    "Cache-Control: no-store\r\n\r\n"

Test(exchange, an_answer_is_head_prefix_middle_and_suffix_in_pieces_of_any_size)
{
    CODEC_ACCEPT(&t);
    buffer_adds(&x.prefix, "prefix ");
    x.middle = "middle";
    x.middle_len = 6;
    x.suffix = " suffix";
    x.suffix_len = 7;
    exchange_respond(&x, 200, "text/x");
    cr_assert(x.answered);
    for (size_t piece = 1; piece < 200; piece++) {
        x.sent = 0;
        cr_assert_str_eq(answer_in(piece), HEAD_OF("20") "prefix middle suffix");
    }
}

Test(exchange, header_lines_that_stood_there_before_come_first)
{
    CODEC_ACCEPT(&t);
    buffer_adds(&x.head, "X-Early: 1\r\n");
    exchange_respond(&x, 200, "text/x");
    cr_assert_str_eq(answer_in(1000), "X-Early: 1\r\n" HEAD_OF("0"));
}

Test(exchange, a_head_request_gets_the_length_and_no_body)
{
    CODEC_ACCEPT(&t, "REQUEST_METHOD", "HEAD");
    buffer_adds(&x.prefix, "12345");
    x.middle = "678";
    x.middle_len = 3;
    exchange_respond(&x, 200, "text/x");
    cr_assert_str_eq(answer_in(1000), HEAD_OF("8"));
}

Test(exchange, an_answer_that_has_been_given_up_has_no_bytes_left)
{
    const char *bytes;

    CODEC_ACCEPT(&t);
    buffer_adds(&x.prefix, "12345");
    exchange_respond(&x, 200, "text/x");
    exchange_discard_response(&x);
    cr_assert_eq(exchange_next(&x, &bytes, 100), 0);
}

Test(exchange, every_error_has_a_reason_in_the_status_line)
{
    CODEC_ACCEPT(&t);
    for (enum error e = 1; e < ERROR_COUNT; e++) {
        struct failure f = { .error = e, .detail = "detail" };
        int status = 0;
        char reason[64] = "";
        const char *line;

        exchange_reset(&x);
        exchange_fail(&x, &f);
        line = strstr(answer_in(10000), "Status: ");
        cr_assert_eq(sscanf(line, "Status: %d %63[^\r]", &status, reason), 2, "%s", line);
        cr_assert_eq(status, error_status(e));
    }
}

Test(exchange, a_failure_is_a_problem_document)
{
    const struct failure f = { .error = ERROR_BLOCKED, .detail = "10.0.0.1 is private" };
    const char *text;
    json_t *o;

    CODEC_ACCEPT(&t);
    buffer_adds(&x.prefix, "half an envelope");
    x.middle = "a body";
    x.middle_len = 6;
    exchange_fail(&x, &f);
    text = answer_in(10000);
    cr_assert_not_null(strstr(text, "Content-Type: application/problem+json\r\n"));
    o = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    cr_assert_not_null(o, "%s", text);
    cr_assert_str_eq(json_string_value(json_object_get(o, "code")), "blocked");
    cr_assert_str_eq(json_string_value(json_object_get(o, "detail")), "10.0.0.1 is private");
    cr_assert_eq(json_integer_value(json_object_get(o, "status")), 403);
    json_decref(o);
}

static bool
failure_says(enum error e, const char *line)
{
    const struct failure f = { .error = e };

    exchange_reset(&x);
    exchange_fail(&x, &f);
    return strstr(answer_in(10000), line) != NULL;
}

/* The whole of it without memory is the same as with it. */
Test(exchange, without_memory_for_a_response_it_says_so)
{
    struct failure none = { 0 };
    char as_written[1000];
    size_t n;

    CODEC_ACCEPT(&t, "REQUEST_METHOD", "GET");
    failure_no_memory(&none);
    exchange_fail(&x, &none);
    snprintf(as_written, sizeof as_written, "%s", answer_in(100));
    exchange_reset(&x);
    x.prefix.failed = true;
    exchange_respond(&x, 200, "text/plain");
    cr_assert_str_eq(answer_in(100), as_written);
    cr_assert_str_eq(exchange_no_memory_response(&n), as_written);
    cr_assert_eq(n, strlen(as_written));
    exchange_reset(&x);
    x.head.failed = true;
    exchange_respond_empty(&x);
    cr_assert_str_eq(answer_in(100), as_written);
}

Test(exchange, failures_that_pass_say_when_to_try_again_and_others_do_not)
{
    CODEC_ACCEPT(&t);
    cr_assert(failure_says(ERROR_OVERLOADED, "\r\nRetry-After: 1\r\n") ||
              failure_says(ERROR_OVERLOADED, "Retry-After: 1\r\nStatus"));
    cr_assert(failure_says(ERROR_DRAINING, "Retry-After: 2\r\n"));
    cr_assert(failure_says(ERROR_ORIGIN_UNAVAILABLE, "Retry-After: 1\r\n"));
    cr_assert_not(failure_says(ERROR_TIMEOUT, "Retry-After"));
    cr_assert_not(failure_says(ERROR_BAD_REQUEST, "Retry-After"));
}

Test(exchange, who_lacks_a_token_is_told_what_kind)
{
    CODEC_ACCEPT(&t);
    cr_assert(failure_says(ERROR_UNAUTHORIZED, "WWW-Authenticate: Bearer realm=\"curlew\"\r\n"));
    cr_assert_not(failure_says(ERROR_BLOCKED, "WWW-Authenticate"));
}

Test(exchange, nothing_is_left_after_a_reset)
{
    CODEC_ACCEPT(&t);
    buffer_adds(&x.body, "body");
    x.fetch = fetch_new();
    x.middle = "x";
    x.middle_len = 1;
    exchange_respond(&x, 200, "text/x");
    answer_in(3);
    exchange_reset(&x);

    cr_assert_null(x.fetch);
    cr_assert_null(x.ops);
    cr_assert_not(x.answered);
    cr_assert_eq(x.body.len + x.head.len + x.prefix.len + x.sent, 0);
    cr_assert_str_eq(answer_in(100), "");
}

/* -- work for a helper thread ------------------------------------------------- */

static struct fcgi_server server;
static struct fcgi_worker worker;
static struct helper_thread helper;
static pthread_t ran_on;
static int ran, then;

static void
run_step(struct exchange *of)
{
    (void)of;
    ran_on = pthread_self();
    ran++;
}

static void
then_step(struct exchange *of)
{
    (void)of;
    then++;
}

/* With a reader for which so many may wait. */
static void
open_server(size_t waits)
{
    cr_assert_eq(loop_init(&worker.loop), 0);
    mailbox_init(&worker.inbox);
    cr_assert_eq(helper_thread_start(&helper, "reader", waits), 0);
    server.reader = server.writer = &helper;
    x.server = &server;
    x.worker = &worker;
    ran = then = 0;
}

static void
close_server(void)
{
    helper_thread_stop(&helper);
    mailbox_destroy(&worker.inbox);
    loop_destroy(&worker.loop);
}

static void
set_body(size_t size)
{
    char *room = buffer_room(&x.body, size);

    memset(room, ' ', size);
    x.body.len = size;
}

/* What the worker does with the mail. */
static void
await_work(void)
{
    struct mail *mail;

    while ((mail = mailbox_take(&worker.inbox)) == NULL)
        loop_turn(&worker.loop);
    cr_assert_eq(mail->about, EXCHANGE_WORK_ENDED);
    cr_assert_eq(mail, &x.work.mail);
    cr_assert_eq(server.stats.large, 1);
    exchange_work_ended(&x);
    exchange_finish_work(&x);
    cr_assert_eq(server.stats.large, 0);
}

Test(exchange, a_body_up_to_the_limit_is_read_at_once)
{
    struct failure err = { 0 };

    open_server(1);
    set_body(EXCHANGE_LARGE);
    cr_assert_eq(exchange_read(&x, run_step, then_step, &err), 0);
    cr_assert_eq(then, 1);
    cr_assert(pthread_equal(ran_on, pthread_self()));
    close_server();
}

Test(exchange, a_larger_body_is_read_on_the_helper_thread)
{
    struct failure err = { 0 };

    open_server(1);
    set_body(EXCHANGE_LARGE + 1);
    cr_assert_eq(exchange_read(&x, run_step, then_step, &err), 0);
    cr_assert(x.work.pending);
    cr_assert_eq(then, 0);
    await_work();
    cr_assert_eq(ran, 1);
    cr_assert_eq(then, 1);
    cr_assert_not(pthread_equal(ran_on, pthread_self()));
    cr_assert_not(x.work.pending);
    close_server();
}

Test(exchange, past_those_that_may_wait_it_is_overloaded)
{
    struct failure err = { 0 };

    open_server(0);
    set_body(EXCHANGE_LARGE + 1);
    cr_assert_eq(exchange_read(&x, run_step, then_step, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_eq(ran + then, 0);
    cr_assert_not(x.work.pending);
    cr_assert_eq(server.stats.large, 0);
    exchange_write(&x, EXCHANGE_LARGE_RESPONSE + 1, run_step, then_step);
    cr_assert_eq(then, 1, "a response that is there is written all the same");
    close_server();
}

Test(exchange, work_that_was_given_up_is_answered_as_cancelled)
{
    open_server(1);
    CODEC_ACCEPT(&t, "REQUEST_METHOD", "POST");
    exchange_write(&x, EXCHANGE_LARGE_RESPONSE + 1, run_step, then_step);
    exchange_cancel(&x);
    await_work();
    cr_assert_eq(then, 0);
    cr_assert_not_null(strstr(answer_in(1000), "499"));
    close_server();
}
