/* test_retry.c - whether a failed try is followed by another one. */

#include "fetch/retry.h"

#include "fetch/body_pipe.h"
#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_origin o;
static struct curlew *c;
static struct failure err;
static int failing;         /* of the next requests */
static char how[20];        /* they fail so; "": 503 */
static char seen[10][2000]; /* head and body of each request */

static void
fail_so(struct seen_request *x)
{
    if (strcmp(how, "close") == 0) {
        x->close = true;
    } else if (strcmp(how, "cut") == 0) {
        origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour");
        x->close = true;
    } else if (strcmp(how, "hold") == 0) {
        origin_hold(x);
    } else {
        origin_reply(x, 503, how, "busy");
    }
}

static void
serve(struct seen_request *x)
{
    int n = origin_requests(&o);

    if (n <= 10)
        snprintf(seen[n - 1], sizeof seen[0], "%s%s", x->head, x->body);
    if (n <= failing)
        fail_so(x);
    else if (origin_is(x, "/away"))
        origin_reply(x, 302, "Location: /there\r\n", "");
    else
        origin_reply(x, 200, "", "ok");
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(retry, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path, int retries)
{
    struct curlew_fetch *f = runner_fetch("%s%s", o.url, path);

    f->request.retries.max = retries;
    f->request.retries.backoff_ms = 5;
    f->request.set |= SET_RETRIES | SET_BACKOFF;
    return f;
}

static void
fail_first(int n, const char *so)
{
    failing = n;
    snprintf(how, sizeof how, "%s", so);
}

/* It comes to this status after so many tries; the fetch is freed. */
static void
comes_to(struct curlew_fetch *f, int status, int attempts)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_eq(curlew_fetch_status(f), status);
    cr_assert_eq(f->response.attempts, attempts);
    cr_assert_eq(origin_requests(&o), attempts + (int)f->response.history_count);
    cr_assert_eq(counter_read(&c->stats.retries_waiting), 0);
    cr_assert_eq(counter_read(&c->stats.in_flight), 0);
    curlew_fetch_free(f);
}

/* -- the decision ----------------------------------------------------------- */

static const struct failure whole = { .error = ERROR_NONE }, cut = { .error = ERROR_RECV_FAILED },
                            large = { .error = ERROR_RESPONSE_TOO_LARGE };

/* The wait of a first attempt by GET, with at most one second left. */
static int64_t
wait_after(const struct failure *failure, int status, const char *retry_after)
{
    struct response_head head = { .status = status };
    struct retry_policy policy;
    struct retry_attempt a = {
        .policy = &policy,
        .method = "GET",
        .attempts = 1,
        .failure = failure,
        .head = &head,
        .deadline_us = 1000000,
    };
    int64_t wait;

    retry_policy_init(&policy);
    policy.max = 1;
    policy.backoff_ms = 0;
    if (retry_after != NULL)
        cr_assert_eq(headers_add(&head.headers, "Retry-After", 11, retry_after, 1), 0);
    wait = retry_wait_us(&a);
    a.attempts = 2;
    cr_assert_eq(retry_wait_us(&a), -1, "the policy allows one");
    a.attempts = 1;
    a.method = "POST";
    cr_assert_eq(retry_wait_us(&a), -1, "not idempotent");
    headers_destroy(&head.headers);
    retry_policy_destroy(&policy);
    return wait;
}

Test(retry, the_decision_goes_by_the_failure_the_status_and_the_time_that_is_left)
{
    cr_assert_eq(wait_after(&cut, 0, NULL), 0);
    cr_assert_eq(wait_after(&(struct failure){ .error = ERROR_BLOCKED }, 0, NULL), -1);
    cr_assert_eq(wait_after(&whole, 503, NULL), 0);
    cr_assert_eq(wait_after(&whole, 404, NULL), -1);
    cr_assert_eq(wait_after(&whole, 503, "0"), 0);
    cr_assert_eq(wait_after(&whole, 503, "1"), -1, "too late");
    cr_assert_eq(wait_after(&cut, 503, "0"), 0);
    cr_assert_eq(wait_after(&cut, 503, "1"), -1, "its body broke off");
    cr_assert_eq(wait_after(&cut, 200, "1"), 0, "no refusal, whose Retry-After would count");
    cr_assert_eq(wait_after(&large, 503, NULL), 0);
    cr_assert_eq(wait_after(&large, 503, "1"), -1);
    cr_assert_eq(wait_after(&large, 200, NULL), -1);
}

/* -- attempts --------------------------------------------------------------- */

Test(retry, a_refusal_is_followed_by_another_try)
{
    fail_first(2, "");
    comes_to(to("/", 2), 200, 3);
}

Test(retry, when_they_are_used_up_the_refusal_is_the_answer_with_its_body)
{
    struct curlew_fetch *f = to("/", 2);
    size_t n;

    fail_first(99, "");
    runner_do(c, f);
    cr_assert_eq(curlew_fetch_status(f), 503);
    cr_assert_arr_eq(curlew_fetch_body(f, &n), "busy", 4);
    cr_assert_eq(n, 4);
    cr_assert_eq(f->response.attempts, 3);
    curlew_fetch_free(f);
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 0);
}

Test(retry, a_cut_body_leaves_nothing_behind_in_the_next_try)
{
    struct curlew_fetch *f = to("/", 1);
    size_t n;

    fail_first(1, "cut");
    runner_do(c, f);
    cr_assert_arr_eq(curlew_fetch_body(f, &n), "ok", 2);
    cr_assert_eq(n, 2);
    cr_assert_eq(f->response.body_bytes, 2);
    cr_assert_eq(f->buffered, 2);
    cr_assert_eq(f->failure.curl_code, 0);
    curlew_fetch_free(f);
}

Test(retry, a_connection_that_is_closed_is_followed_by_a_new_one)
{
    fail_first(2, "close");
    comes_to(to("/", 2), 200, 3);
    cr_assert_eq(origin_connections(&o), 3);
}

Test(retry, a_refusal_does_not_cost_the_connection)
{
    fail_first(2, "");
    comes_to(to("/", 2), 200, 3);
    cr_assert_eq(origin_connections(&o), 1);
}

Test(retry, the_hop_is_tried_again_not_the_chain)
{
    fail_first(2, "");
    comes_to(to("/away", 2), 200, 3);
    cr_assert_eq(strncmp(seen[2], "GET /away ", 10), 0);
    cr_assert_eq(strncmp(seen[3], "GET /there ", 11), 0);
}

Test(retry, bodies_and_cookies_are_sent_again_as_they_were)
{
    struct curlew_fetch *f = to("/", 2);

    cr_assert_eq(curlew_fetch_set_body(f, "all of it", 9, "text/plain"), 0);
    cr_assert_eq(request_set_method(&f->request, "PUT", &err), 0);
    cr_assert_eq(
        request_add_cookie(&f->request, &(struct cookie){ .name = "a", .value = "b" }, &err), 0);
    fail_first(2, "");
    comes_to(f, 200, 3);
    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(strstr(seen[i], "\r\nCookie: a=b\r\n"), "%s", seen[i]);
        cr_assert_not_null(strstr(seen[i], "\r\n\r\nall of it"), "%s", seen[i]);
    }
}

Test(retry, a_post_is_not_sent_twice_unless_the_request_says_so)
{
    struct curlew_fetch *f = to("/", 2);

    fail_first(1, "");
    cr_assert_eq(request_set_method(&f->request, "POST", &err), 0);
    comes_to(f, 503, 1);
}

Test(retry, the_budget_ends_them)
{
    fail_first(99, "");
    comes_to(to("/", 50), 503, 1 + 10);
    cr_assert_eq(counter_read(&c->stats.retries), 10);
    cr_assert_eq(counter_read(&c->stats.retries_refused), 1);
}

/* -- while it waits ----------------------------------------------------------- */

static struct curlew_fetch *
rests(struct run *r)
{
    struct curlew_fetch *f = to("/", 1);

    fail_first(1, "Retry-After: 8\r\n");
    run_start(r, c, f);
    for (int i = 0; i < 3000 && counter_read(&c->stats.retries_waiting) == 0; i++)
        usleep(1000);
    cr_assert_eq(counter_read(&c->stats.retries_waiting), 1);
    cr_assert_eq(counter_read(&c->stats.in_flight), 0);
    return f;
}

Test(retry, who_rests_can_be_cancelled)
{
    struct run r;
    struct curlew_fetch *f = rests(&r);

    curlew_cancel(f);
    run_await(&r);
    cr_assert_str_eq(runner_code(f), "cancelled");
    cr_assert_eq(f->response.attempts, 1);
    cr_assert_eq(counter_read(&c->stats.retries_waiting), 0);
    cr_assert_eq(origin_requests(&o), 1);
    curlew_fetch_free(f);
}

Test(retry, an_engine_that_ends_gives_back_who_rests)
{
    struct run r;
    struct curlew_fetch *f = rests(&r);

    curlew_free(c);
    run_await(&r);
    cr_assert_str_eq(runner_code(f), "cancelled");
    curlew_fetch_free(f);
    c = NULL;
}

Test(retry, a_retry_after_that_does_not_fit_into_the_time_out_is_not_waited_for)
{
    struct curlew_fetch *f = to("/", 1);

    fail_first(1, "Retry-After: 8\r\n");
    curlew_fetch_set_timeout(f, 5000);
    comes_to(f, 503, 1);
}

/* -- streams ---------------------------------------------------------------- */

static void
ignore(struct curlew_fetch *f, void *arg)
{
    (void)f;
    (void)arg;
}

Test(retry, a_stream_is_tried_again_before_its_head_is_published)
{
    struct curlew_fetch *f = to("/", 2);
    const char *body;

    cr_assert_eq(fetch_stream_body(f, ignore, NULL), 0);
    fail_first(2, "");
    runner_do(c, f);
    cr_assert_eq(curlew_fetch_status(f), 200);
    cr_assert_eq(f->response.attempts, 3);
    cr_assert_eq(body_pipe_peek(f->pipe, &body, 100), 2, "nothing of the refusals is in it");
    curlew_fetch_free(f);
}

Test(retry, and_not_after)
{
    struct curlew_fetch *f = to("/", 2);

    cr_assert_eq(fetch_stream_body(f, ignore, NULL), 0);
    fail_first(1, "cut");
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "incomplete_body");
    cr_assert_eq(f->response.attempts, 1);
    curlew_fetch_free(f);
}

Test(retry, a_stream_that_is_cancelled_while_a_try_goes_on_has_no_other)
{
    struct curlew_fetch *f = to("/", 2);
    struct run r;

    cr_assert_eq(fetch_stream_body(f, ignore, NULL), 0);
    fail_first(1, "hold");
    run_start(&r, c, f);
    origin_await_held(&o, 1);
    curlew_cancel(f);
    run_await(&r);
    cr_assert_str_eq(runner_code(f), "cancelled");
    cr_assert_eq(counter_read(&c->stats.retries_waiting), 0);
    curlew_fetch_free(f);
    origin_release(&o, 1);
}
