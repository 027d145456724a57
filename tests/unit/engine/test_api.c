/* test_api.c - the public interface, curlew.h, as a program that embeds the library uses it. */

#include "curlew/curlew.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const loopback[] = { "127.0.0.0/8", NULL };
static struct test_origin o;
static struct curlew *c;
static struct curlew_options options;

static void
serve(struct seen_request *x)
{
    if (origin_is(x, "/hold"))
        origin_hold(x);
    if (strcmp(x->method, "PUT") == 0)
        origin_reply(x, 201, origin_has(x, "Content-Type: text/x") ? "X-Typed: 1\r\n" : "",
                     x->body);
    else
        origin_reply(x, 200, "X-A: 1\r\nx-a: 2\r\n", "hello");
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
    curlew_options_init(&options);
    options.allow = loopback;
    c = curlew_new(&options, NULL, 0);
    cr_assert_not_null(c);
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(api, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

/* -- options ------------------------------------------------------------- */

Test(api, the_options_begin_as_the_daemons_defaults)
{
    curlew_options_init(&options);

    cr_assert_eq(options.threads, 1);
    cr_assert_eq(options.max_in_flight, 2048);
    cr_assert_eq(options.max_queue, 2048);
    cr_assert_eq(options.max_per_origin, 1024);
    cr_assert_eq(options.max_body_bytes, 64 << 20);
    cr_assert_null(options.allow);
    cr_assert_eq(options.report_only, 0);
    cr_assert_null(options.log);
}

static void
does_not_start(const char *detail)
{
    char err[200] = "", little[4] = "xyz";

    cr_assert_null(curlew_new(&options, err, sizeof err));
    cr_assert_not_null(strstr(err, detail), "%s", err);
    cr_assert_null(curlew_new(&options, little, sizeof little));
    cr_assert_eq(strlen(little), 3);
    cr_assert_null(curlew_new(&options, NULL, 0));
}

Test(api, an_option_out_of_its_range_does_not_start)
{
    const struct curlew_options good = options;

    options.threads = 0;
    does_not_start("range");
    options.threads = 65;
    does_not_start("range");
    options = good;
    options.max_in_flight = 0;
    does_not_start("range");
    options = good;
    options.max_queue = -1;
    does_not_start("range");
    options = good;
    options.max_per_origin = 0;
    does_not_start("range");
    options = good;
    options.max_body_bytes = -1;
    does_not_start("range");
}

Test(api, options_at_the_ends_of_their_ranges_start)
{
    struct curlew *other;

    options.threads = 64;
    options.max_in_flight = 1;
    options.max_queue = 0;
    options.max_per_origin = 1;
    options.max_body_bytes = 0;
    other = curlew_new(&options, NULL, 0);
    cr_assert_not_null(other);
    curlew_free(other);
}

Test(api, a_rule_that_is_none_does_not_start)
{
    static const char *const bad[] = { "127.0.0.0/8", "10.0.0.0/33", NULL };

    options.allow = bad;
    does_not_start("10.0.0.0/33");
}

/* -- the log ------------------------------------------------------------- */

static struct {
    atomic_int lines, level;
    void *arg;
    char last[300];
} logged;

static void
keep_line(void *arg, int level, const char *line)
{
    logged.arg = arg;
    logged.level = level;
    snprintf(logged.last, sizeof logged.last, "%s", line);
    logged.lines++;
}

Test(api, what_the_guard_would_refuse_is_reported_to_the_log_callback)
{
    curlew_free(c);
    options.allow = NULL;
    options.report_only = 1;
    options.log = keep_line;
    options.log_arg = &o;
    c = curlew_new(&options, NULL, 0);
    curlew_fetch_free(runner_do(c, to("/")));

    cr_assert_eq(origin_requests(&o), 1);
    cr_assert_geq(logged.lines, 1);
    cr_assert_eq(logged.arg, &o);
    cr_assert_eq(logged.level, CURLEW_LOG_WARNING);
    cr_assert_not_null(strstr(logged.last, "127.0.0.1 is a loopback address"), "%s", logged.last);
    cr_assert_null(strchr(logged.last, '\n'));
}

Test(api, without_a_log_callback_the_engine_is_silent)
{
    char path[] = "/tmp/curlew-test-XXXXXX";
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);

    curlew_free(c);
    options.allow = NULL;
    options.report_only = 1;
    c = curlew_new(&options, NULL, 0);
    dup2(fd, STDERR_FILENO);
    curlew_fetch_free(runner_do(c, to("/")));
    dup2(saved, STDERR_FILENO);

    cr_assert_eq(origin_requests(&o), 1);
    cr_assert_eq(lseek(fd, 0, SEEK_END), 0);
    unlink(path);
}

/* -- several engines ----------------------------------------------------- */

Test(api, two_engines_live_side_by_side)
{
    struct curlew *other = curlew_new(&options, NULL, 0);

    for (int i = 0; i < 3; i++) {
        curlew_fetch_free(runner_do(c, to("/")));
        curlew_fetch_free(runner_do(other, to("/")));
    }
    cr_assert_eq(origin_connections(&o), 2);
    curlew_free(other);
    curlew_fetch_free(runner_do(c, to("/")));
}

/* -- asking -------------------------------------------------------------- */

Test(api, a_fetch_tells_all_about_its_response)
{
    struct curlew_fetch *f = runner_do(c, to("/"));
    size_t n;

    cr_assert_null(curlew_fetch_error(f));
    cr_assert_str_eq(curlew_fetch_detail(f), "");
    cr_assert_eq(curlew_fetch_status(f), 200);
    cr_assert_str_eq(curlew_fetch_header(f, "X-a"), "1", "the first");
    cr_assert_null(curlew_fetch_header(f, "X"));
    cr_assert_str_eq(curlew_fetch_body(f, &n), "hello");
    cr_assert_eq(n, 5);
    cr_assert_eq(curlew_fetch_reused(f), 0);
    cr_assert_gt(curlew_fetch_seconds(f), 0);
    curlew_fetch_free(f);
}

Test(api, method_and_body_go_out)
{
    struct curlew_fetch *f = to("/");
    size_t n;

    cr_assert_eq(curlew_fetch_set_method(f, "PUT"), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "first", 5, NULL), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "payload", 7, "text/x"), 0);
    runner_do(c, f);
    cr_assert_eq(curlew_fetch_status(f), 201);
    cr_assert_str_eq(curlew_fetch_body(f, &n), "payload");
    cr_assert_str_eq(curlew_fetch_header(f, "x-typed"), "1");
    curlew_fetch_free(f);
}

Test(api, a_body_set_again_has_the_last_type_alone)
{
    struct curlew_fetch *f = to("/");

    cr_assert_eq(curlew_fetch_add_header(f, "X-First", "1"), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "a", 1, "text/a"), 0);
    cr_assert_eq(curlew_fetch_add_header(f, "X-Last", "1"), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "b", 1, "text/x"), 0);
    cr_assert_eq(curlew_fetch_set_method(f, "PUT"), 0);
    runner_do(c, f);
    cr_assert_str_eq(curlew_fetch_header(f, "x-typed"), "1");
    cr_assert_eq(f->request.headers.count, 3);
    cr_assert_str_eq(f->request.headers.items[2].value, "text/x");
    curlew_fetch_free(f);
}

Test(api, an_empty_body_may_be_no_pointer)
{
    struct curlew_fetch *f = to("/");
    size_t n;

    cr_assert_eq(curlew_fetch_set_body(f, NULL, 0, NULL), 0);
    cr_assert_eq(curlew_fetch_set_method(f, "PUT"), 0);
    runner_do(c, f);
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, 0);
    cr_assert_eq(curlew_fetch_status(f), 201);
    curlew_fetch_free(f);
}

Test(api, what_cannot_be_sent_is_refused_by_its_setter)
{
    struct curlew_fetch *f = to("/");

    cr_assert_eq(curlew_fetch_set_method(f, "GET /x"), -1);
    cr_assert_eq(curlew_fetch_add_header(f, "X", "a\r\nb: c"), -1);
    cr_assert_eq(curlew_fetch_add_header(f, "X Y", "a"), -1);
    cr_assert_eq(curlew_fetch_set_body(f, "x", 1, "text/x\r\nY: z"), -1);
    cr_assert_str_eq(runner_code(f), "bad_request");
    curlew_fetch_free(f);
}

Test(api, a_fetch_to_a_private_address_is_blocked)
{
    struct curlew_fetch *f = curlew_fetch_new("http://10.0.0.1/");

    cr_assert_eq(curlew_submit(c, f, NULL, NULL), -1);
    cr_assert_str_eq(curlew_fetch_error(f), "blocked");
    cr_assert_neq(curlew_fetch_detail(f)[0], '\0');
    cr_assert_eq(curlew_fetch_status(f), 0);
    curlew_fetch_free(f);
}

Test(api, nothing_can_be_freed)
{
    curlew_fetch_free(NULL);
    curlew_free(NULL);
}

/* -- callbacks ----------------------------------------------------------- */

static sem_t all_done;
static atomic_int left;

/* Frees its fetch and submits another, until enough have gone. */
static void
chain(struct curlew_fetch *f, void *arg)
{
    curlew_fetch_free(f);
    if (left-- > 1) {
        f = to("/");
        if (curlew_submit(c, f, chain, arg) == 0)
            return;
        curlew_fetch_free(f);
    }
    sem_post(&all_done);
}

Test(api, a_callback_may_free_its_fetch_and_submit_another)
{
    struct curlew_fetch *f = to("/");

    sem_init(&all_done, 0, 0);
    left = 100;
    cr_assert_eq(curlew_submit(c, f, chain, NULL), 0);
    sem_wait(&all_done);
    cr_assert_eq(origin_requests(&o), 100);
    cr_assert_eq(origin_connections(&o), 1);
}

static void
free_it(struct curlew_fetch *f, void *arg)
{
    (void)arg;
    curlew_fetch_free(f);
    left--;
}

Test(api, freeing_the_engine_waits_for_every_callback)
{
    left = 50;
    for (int i = 0; i < 50; i++)
        cr_assert_eq(curlew_submit(c, to("/hold"), free_it, NULL), 0);
    origin_await_held(&o, 50);
    curlew_free(c);
    cr_assert_eq(left, 0);
    c = NULL;
    origin_release(&o, 50);
}

/* The usual order where destructors free both. */
Test(api, fetches_may_be_read_cancelled_and_freed_after_their_engine)
{
    struct curlew_fetch *whole = runner_do(c, to("/")), *failed = to("/hold"), *refused = to("/");
    size_t n;

    curlew_fetch_set_timeout(failed, 100);
    runner_do(c, failed);
    origin_release(&o, 1);
    curlew_drain(c);
    cr_assert_eq(curlew_submit(c, refused, free_it, NULL), -1);
    curlew_free(c);
    c = NULL;
    curlew_cancel(whole);
    cr_assert_str_eq(curlew_fetch_body(whole, &n), "hello");
    curlew_fetch_free(whole);
    curlew_fetch_free(failed);
    curlew_fetch_free(refused);
}

Test(api, a_fetch_that_outlived_its_engine_may_go_to_another)
{
    struct curlew_fetch *f = runner_do(c, to("/"));
    size_t n;

    curlew_free(c);
    c = curlew_new(&options, NULL, 0);
    runner_do(c, f);
    cr_assert_str_eq(curlew_fetch_body(f, &n), "hello");
    curlew_fetch_free(f);
}

Test(api, submitting_after_a_drain_is_refused)
{
    struct curlew_fetch *f = to("/");

    curlew_drain(c);
    cr_assert_eq(curlew_submit(c, f, free_it, NULL), -1);
    cr_assert_str_eq(curlew_fetch_error(f), "draining");
    curlew_fetch_free(f);
}
