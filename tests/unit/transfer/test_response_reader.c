/* test_response_reader.c - gathering a response's head and body, within limits. */

#include "transfer/response_reader.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct test_origin o;
static struct curlew *c;
static size_t head_size; /* of /head, from its status line to its empty line */

/* Lines of 1024 bytes, then one that makes the head exactly as long as asked. */
static void
say_head(struct seen_request *x, size_t size)
{
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n";
    size_t left = size - (sizeof start - 1) - 2;

    origin_say(x, "%s", start);
    for (; left > 2048; left -= 1024)
        origin_say(x, "X-Fill: %01014d\r\n", 0);
    origin_say(x, "X-Last: %0*d\r\n\r\nbody", (int)(left - 10), 0);
}

static void
serve(struct seen_request *x)
{
    if (origin_is(x, "/head"))
        say_head(x, head_size);
    else if (origin_is(x, "/fields"))
        origin_say(x, "HTTP/1.1 200 Very Good\r\nA: 1\r\nb:2\r\nA:   3 \t \r\nEmpty:\r\n"
                      "Content-Length: 0\r\n\r\n");
    else if (origin_is(x, "/no-field"))
        origin_say(x, "HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 0\r\n\r\n");
    else if (origin_is(x, "/folded"))
        origin_say(x, "HTTP/1.1 200 OK\r\nA: 1\r\n  2\r\n\t3\r\nContent-Length: 0\r\n\r\n");
    else if (origin_is(x, "/folded-first"))
        origin_say(x, "HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 0\r\n\r\n");
    else if (origin_is(x, "/hints"))
        origin_say(x, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                      "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
                      "HTTP/1.1 200 Done\r\nX-Final: 1\r\nContent-Length: 2\r\n\r\nok");
    else if (origin_is(x, "/reasonless"))
        origin_say(x, "HTTP/1.1 204\r\n\r\n");
    else if (origin_is(x, "/trailer"))
        origin_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
                      "X-Trailer: late\r\n\r\n");
    else if (origin_is(x, "/old")) {
        origin_say(x, "HTTP/1.0 200 OK\r\n\r\nold");
        x->close = true;
    } else {
        char *body = calloc(1, strtoul(x->target + 1, NULL, 10) + 1); /* /N: N bytes */

        memset(body, 'x', strtoul(x->target + 1, NULL, 10));
        origin_reply(x, 200, "", body);
        free(body);
    }
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

TestSuite(response_reader, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
get(const char *path)
{
    return runner_do(c, runner_fetch("%s%s", o.url, path));
}

static struct curlew_fetch *
get_whole(const char *path)
{
    struct curlew_fetch *f = get(path);

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    return f;
}

/* The number of fields of this name. */
static int
count(const struct curlew_fetch *f, const char *name)
{
    const struct headers *h = &f->response.head.headers;
    int n = 0;

    for (size_t i = 0; i < h->count; i++)
        n += strcmp(h->items[i].name, name) == 0;
    return n;
}

/* -- the head ------------------------------------------------------------ */

Test(response_reader, fields_keep_their_order_case_and_repetitions)
{
    struct curlew_fetch *f = get_whole("/fields");
    const struct headers *h = &f->response.head.headers;

    cr_assert_str_eq(f->response.head.reason, "Very Good");
    cr_assert_eq(h->count, 5);
    cr_assert_str_eq(h->items[0].name, "A");
    cr_assert_str_eq(h->items[0].value, "1");
    cr_assert_str_eq(h->items[1].name, "b");
    cr_assert_str_eq(h->items[1].value, "2");
    cr_assert_str_eq(h->items[2].name, "A");
    cr_assert_str_eq(h->items[2].value, "3");
    cr_assert_str_eq(h->items[3].value, "");
    curlew_fetch_free(f);
}

Test(response_reader, a_line_that_is_no_field_is_an_error)
{
    struct curlew_fetch *f = get("/no-field");

    cr_assert_str_eq(runner_code(f), "protocol_error");
    curlew_fetch_free(f);
}

Test(response_reader, a_folded_line_belongs_to_the_field_before)
{
    struct curlew_fetch *f = get_whole("/folded");

    cr_assert_str_eq(curlew_fetch_header(f, "a"), "1 2 3");
    cr_assert_str_eq(curlew_fetch_header(f, "content-length"), "0");
    curlew_fetch_free(f);
}

Test(response_reader, a_folded_line_before_any_field_does_no_harm)
{
    struct curlew_fetch *f = get("/folded-first");

    curlew_fetch_free(f);
}

Test(response_reader, only_the_last_of_several_heads_counts)
{
    struct curlew_fetch *f = get_whole("/hints");
    size_t n;

    cr_assert_eq(curlew_fetch_status(f), 200);
    cr_assert_str_eq(f->response.head.reason, "Done");
    cr_assert_eq(count(f, "X-Interim") + count(f, "Link"), 0);
    cr_assert_eq(count(f, "X-Final"), 1);
    curlew_fetch_body(f, &n);
    cr_assert_eq(n, 2);
    cr_assert_eq(f->response.history_count, 0);
    curlew_fetch_free(f);
}

Test(response_reader, a_status_line_without_reason_has_an_empty_one)
{
    struct curlew_fetch *f = get_whole("/reasonless");

    cr_assert_eq(curlew_fetch_status(f), 204);
    cr_assert_str_eq(f->response.head.reason, "");
    curlew_fetch_free(f);
}

Test(response_reader, a_trailer_does_not_disturb_the_body)
{
    struct curlew_fetch *f = get_whole("/trailer");
    size_t n;

    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "body", 4), 0);
    cr_assert_eq(n, 4);
    curlew_fetch_free(f);
}

Test(response_reader, an_answer_of_HTTP_1_0_is_told_as_such)
{
    struct curlew_fetch *f = get_whole("/old");

    cr_assert_eq(f->response.http_version, 10);
    curlew_fetch_free(f);
}

Test(response_reader, a_head_of_256_KiB_is_taken_and_of_one_byte_more_is_not)
{
    struct curlew_fetch *f;

    head_size = RESPONSE_READER_HEAD_MAX;
    f = get_whole("/head");
    cr_assert_gt(count(f, "X-Fill"), 200);
    curlew_fetch_free(f);

    head_size = RESPONSE_READER_HEAD_MAX + 1;
    f = get("/head");
    cr_assert_str_eq(runner_code(f), "protocol_error");
    cr_assert_not_null(strstr(curlew_fetch_detail(f), "head is over 262144 bytes"), "%s",
                       curlew_fetch_detail(f));
    curlew_fetch_free(f);
}

/* -- the body ------------------------------------------------------------ */

static struct curlew_fetch *
get_at_most(const char *path, int64_t max)
{
    struct curlew_fetch *f = runner_fetch("%s%s", o.url, path);

    f->request.max_body_bytes = max;
    f->request.set |= SET_MAX_BODY_BYTES;
    return runner_do(c, f);
}

Test(response_reader, a_body_of_the_limit_is_taken_and_of_one_byte_more_is_not)
{
    struct curlew_fetch *f = get_at_most("/100000", 100000);

    cr_assert_str_eq(runner_code(f), "ok");
    cr_assert_eq(f->response.body_bytes, 100000);
    cr_assert_eq(f->response.body.len, 100000);
    curlew_fetch_free(f);

    f = get_at_most("/100001", 100000);
    cr_assert_str_eq(runner_code(f), "response_too_large");
    cr_assert_str_eq(curlew_fetch_detail(f), "the body is over 100000 bytes");
    curlew_fetch_free(f);
}

Test(response_reader, a_limit_of_0_takes_the_empty_body_only)
{
    struct curlew_fetch *f = get_at_most("/0", 0);

    cr_assert_str_eq(runner_code(f), "ok");
    curlew_fetch_free(f);
    f = get_at_most("/1", 0);
    cr_assert_str_eq(runner_code(f), "response_too_large");
    curlew_fetch_free(f);
}

Test(response_reader, a_body_that_nobody_wants_is_counted_and_not_kept)
{
    struct curlew_fetch *f = runner_fetch("%s/100000", o.url);

    f->request.response_body = BODY_NONE;
    f->request.set |= SET_RESPONSE_BODY;
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok");
    cr_assert_eq(f->response.body_bytes, 100000);
    cr_assert_eq(f->response.body.len, 0);
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 0);
    curlew_fetch_free(f);
}

/* -- all bodies together ------------------------------------------------- */

static void
buffer_at_most(int64_t limit)
{
    struct engine_config s;

    curlew_free(c);
    runner_settings(&s);
    s.limits.buffered_bytes = limit;
    c = runner_engine(&s);
}

Test(response_reader, all_bodies_together_may_reach_the_limit_and_not_pass_it)
{
    struct curlew_fetch *first, *second, *third;

    buffer_at_most(100000);
    first = get_whole("/60000");
    second = get_whole("/40000");
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 100000);
    third = get("/1");
    cr_assert_str_eq(runner_code(third), "overloaded");
    cr_assert_not_null(strstr(curlew_fetch_detail(third), "limits.buffered_bytes"));
    curlew_fetch_free(third);

    curlew_fetch_free(second);
    third = get_whole("/40000");
    curlew_fetch_free(first);
    curlew_fetch_free(third);
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 0, "each gives back what it took");
}

Test(response_reader, a_body_that_failed_gives_back_what_it_took)
{
    struct curlew_fetch *f;

    buffer_at_most(50000);
    f = get("/60000");
    cr_assert_str_eq(runner_code(f), "overloaded");
    curlew_fetch_free(f);
    f = get_at_most("/40000", 30000);
    cr_assert_str_eq(runner_code(f), "response_too_large");
    curlew_fetch_free(f);
    cr_assert_eq(counter_read(&c->config->bodies->bytes), 0);
}
