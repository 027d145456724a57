/* test_exchange.c - one request of a web server and the response to it: all that a route sees. */

#include "fastcgi/exchange.h"

#include "support/codec_fixture.h"
#include "support/runner.h"

#include <fcgios.h>
#include <jansson.h>
#include <stdlib.h>

static struct exchange x;

static void
setup(void)
{
    side_open();
    exchange_init(&x);
    x.codec = side;
}

static void
teardown(void)
{
    exchange_reset(&x);
    side_close();
    OS_LibShutdown();
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
    SIDE_ACCEPT("REQUEST_METHOD", "POST", "QUERY_STRING", "a=b");
    cr_assert_str_eq(exchange_method(&x), "POST");
    cr_assert_str_eq(exchange_query(&x), "a=b");
}

Test(exchange, without_them_it_is_a_get_with_an_empty_query)
{
    SIDE_ACCEPT();
    cr_assert_str_eq(exchange_method(&x), "GET");
    cr_assert_str_eq(exchange_query(&x), "");
}

/* -- the answer ---------------------------------------------------------- */

#define HEAD_OF(length)                                                        \
    "Status: 200 OK\r\nContent-Type: text/x\r\nContent-Length: " length "\r\n" \
    "Cache-Control: no-store\r\n\r\n"

Test(exchange, an_answer_is_head_prefix_middle_and_suffix_in_pieces_of_any_size)
{
    SIDE_ACCEPT();
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
    SIDE_ACCEPT();
    buffer_adds(&x.head, "X-Early: 1\r\n");
    exchange_respond(&x, 200, "text/x");
    cr_assert_str_eq(answer_in(1000), "X-Early: 1\r\n" HEAD_OF("0"));
}

Test(exchange, a_head_request_gets_the_length_and_no_body)
{
    SIDE_ACCEPT("REQUEST_METHOD", "HEAD");
    buffer_adds(&x.prefix, "12345");
    x.middle = "678";
    x.middle_len = 3;
    exchange_respond(&x, 200, "text/x");
    cr_assert_str_eq(answer_in(1000), HEAD_OF("8"));
}

Test(exchange, an_answer_that_has_been_given_up_has_no_bytes_left)
{
    const char *bytes;

    SIDE_ACCEPT();
    buffer_adds(&x.prefix, "12345");
    exchange_respond(&x, 200, "text/x");
    exchange_discard_response(&x);
    cr_assert_eq(exchange_next(&x, &bytes, 100), 0);
}

Test(exchange, every_error_has_a_reason_in_the_status_line)
{
    SIDE_ACCEPT();
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

    SIDE_ACCEPT();
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

Test(exchange, failures_that_pass_say_when_to_try_again_and_others_do_not)
{
    SIDE_ACCEPT();
    cr_assert(failure_says(ERROR_OVERLOADED, "\r\nRetry-After: 1\r\n") ||
              failure_says(ERROR_OVERLOADED, "Retry-After: 1\r\nStatus"));
    cr_assert(failure_says(ERROR_DRAINING, "Retry-After: 2\r\n"));
    cr_assert(failure_says(ERROR_ORIGIN_UNAVAILABLE, "Retry-After: 1\r\n"));
    cr_assert_not(failure_says(ERROR_TIMEOUT, "Retry-After"));
    cr_assert_not(failure_says(ERROR_BAD_REQUEST, "Retry-After"));
}

Test(exchange, who_lacks_a_token_is_told_what_kind)
{
    SIDE_ACCEPT();
    cr_assert(failure_says(ERROR_UNAUTHORIZED, "WWW-Authenticate: Bearer realm=\"curlew\"\r\n"));
    cr_assert_not(failure_says(ERROR_BLOCKED, "WWW-Authenticate"));
}

Test(exchange, nothing_is_left_after_a_reset)
{
    SIDE_ACCEPT();
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
