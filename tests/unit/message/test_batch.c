/* test_batch.c - JSON to a batch: its keys, its defaults, and its requests one by one. */

#include "http/request_merge.h"
#include "message/batch.h"
#include "util/buffer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct batch *b;
static struct request r;
static struct failure err;

static void
setup(void)
{
    b = NULL;
    request_init(&r);
    err = (struct failure){ 0 };
}

static void
teardown(void)
{
    batch_free(b);
    request_destroy(&r);
}

TestSuite(batch, .init = setup, .fini = teardown);

static void
takes(const char *text)
{
    teardown();
    setup();
    b = batch_from_text(text, strlen(text), &REQUEST_LIMITS_DEFAULT, &err);
    cr_assert_not_null(b, "%s: %s", text, err.detail);
}

static void
refuses(const char *text, const char *detail)
{
    teardown();
    setup();
    b = batch_from_text(text, strlen(text), &REQUEST_LIMITS_DEFAULT, &err);
    cr_assert_null(b, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST, "%s", text);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

/* The i-th request, afresh; 0 or -1. */
static int
reads(size_t i)
{
    request_destroy(&r);
    err = (struct failure){ 0 };
    return batch_read(b, i, &r, &err);
}

static const char *
header(const char *name)
{
    for (size_t i = 0; i < r.headers.count; i++)
        if (strcmp(r.headers.items[i].name, name) == 0)
            return r.headers.items[i].value;
    return "absent";
}

#define ONE "\"requests\":[{\"url\":\"http://a/\"}]"

/* -- the batch itself ---------------------------------------------------- */

Test(batch, requests_are_enough)
{
    takes("{" ONE "}");

    cr_assert_eq(batch_count(b), 1);
    cr_assert_eq(batch_parallel(b), 32);
    cr_assert_not(batch_in_order(b));
    cr_assert_eq(reads(0), 0);
    cr_assert_str_eq(r.url, "http://a/");
    cr_assert_eq(r.set, 0);
}

Test(batch, may_have_no_requests)
{
    takes("{\"requests\":[]}");
    cr_assert_eq(batch_count(b), 0);
}

Test(batch, without_requests_it_is_refused)
{
    refuses("{}", "requests: required");
    refuses("{\"max_parallel\":3}", "requests: required");
    refuses("{\"requests\":null}", "requests: expected a list of request objects");
    refuses("{\"requests\":{\"url\":\"http://a/\"}}",
            "requests: expected a list of request objects");
    refuses("{\"requests\":[{},7]}", "requests[1]: a request is a JSON object");
    refuses("{\"requests\":[[]]}", "requests[0]: a request is a JSON object");
}

Test(batch, what_is_no_object_is_refused)
{
    refuses("[]", "a batch is a JSON object");
    refuses("7", "a batch is a JSON object");
    refuses("{" ONE ",}", "line 1, column 35: string or '}' expected near '}'");
}

Test(batch, an_unknown_key_is_named)
{
    refuses("{" ONE ",\"parallel\":3}", "unknown key \"parallel\"");
    refuses("{" ONE ",\"url\":\"http://a/\"}", "unknown key \"url\"");
}

Test(batch, max_parallel_at_its_limits)
{
    takes("{" ONE ",\"max_parallel\":1}");
    cr_assert_eq(batch_parallel(b), 1);
    takes("{" ONE ",\"max_parallel\":1000}");
    cr_assert_eq(batch_parallel(b), 1000);
    refuses("{" ONE ",\"max_parallel\":0}", "max_parallel: expected an integer from 1 to 1000");
    refuses("{" ONE ",\"max_parallel\":1001}", "max_parallel: expected an integer from 1 to 1000");
    refuses("{" ONE ",\"max_parallel\":-1}", "max_parallel: expected an integer from 1 to 1000");
    refuses("{" ONE ",\"max_parallel\":2.0}", "max_parallel: expected an integer from 1 to 1000");
    refuses("{" ONE ",\"max_parallel\":\"2\"}", "max_parallel: expected an integer from 1 to 1000");
}

Test(batch, order_is_one_of_two_words)
{
    takes("{" ONE ",\"order\":\"input\"}");
    cr_assert(batch_in_order(b));
    takes("{" ONE ",\"order\":\"completed\"}");
    cr_assert_not(batch_in_order(b));
    refuses("{" ONE ",\"order\":\"random\"}", "order: expected one of completed, input");
    refuses("{" ONE ",\"order\":true}", "order: expected one of completed, input");
}

/* A batch of n empty objects; the caller frees. */
static char *
many(size_t n)
{
    char *text = malloc(3 * n + 32), *at = text;

    at += sprintf(at, "{\"requests\":[");
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s{}", i > 0 ? "," : "");
    sprintf(at, "]}");
    return text;
}

Test(batch, a_hundred_thousand_requests_and_no_more)
{
    char *text = many(BATCH_REQUESTS_MAX);

    takes(text);
    cr_assert_eq(batch_count(b), BATCH_REQUESTS_MAX);
    cr_assert_eq(reads(BATCH_REQUESTS_MAX - 1), -1);
    cr_assert_str_eq(err.detail, "url: required");
    free(text);

    text = many(BATCH_REQUESTS_MAX + 1);
    refuses(text, "requests: 100001 requests, at most 100000 are allowed");
    free(text);
}

/* -- defaults ------------------------------------------------------------ */

Test(batch, defaults_fill_what_a_request_leaves_open)
{
    takes("{\"defaults\":{\"timeout\":{\"total\":5,\"connect\":2},\"headers\":{\"a\":\"1\",\"b\":"
          "\"2\"},"
          "\"session\":\"s\",\"tag\":\"t\",\"method\":\"PUT\",\"verify\":false},"
          "\"requests\":[{\"url\":\"http://a/\"},{\"url\":\"http://b/\",\"timeout\":7,"
          "\"headers\":{\"A\":\"3\"},\"session\":\"z\",\"tag\":\"u\",\"method\":\"GET\",\"verify\":"
          "true}]}");

    cr_assert_eq(reads(0), 0);
    cr_assert_eq(r.total_timeout_ms, 5000);
    cr_assert_eq(r.connect_timeout_ms, 2000);
    cr_assert_str_eq(header("a"), "1");
    cr_assert_str_eq(r.session, "s");
    cr_assert_str_eq(r.tag, "t");
    cr_assert_str_eq(r.method, "PUT");
    cr_assert_not(r.verify);

    cr_assert_eq(reads(1), 0);
    cr_assert_eq(r.total_timeout_ms, 7000);
    cr_assert_eq(r.connect_timeout_ms, 2000);
    cr_assert_str_eq(header("A"), "3");
    cr_assert_str_eq(header("a"), "absent");
    cr_assert_str_eq(header("b"), "2");
    cr_assert_str_eq(r.session, "z");
    cr_assert_str_eq(r.tag, "u");
    cr_assert_str_eq(r.method, "GET");
    cr_assert(r.verify);
}

Test(batch, a_default_wins_over_the_sessions_for_it_counts_as_given)
{
    struct request session;

    request_init(&session);
    session.set = SET_TOTAL_TIMEOUT | SET_MAX_REDIRECTS;
    session.total_timeout_ms = 1000;
    session.max_redirects = 1;
    request_add_header(&session, "X-Removed", "by null", &err);
    takes("{" ONE ",\"defaults\":{\"timeout\":9,\"headers\":{\"x-removed\":null}}}");

    cr_assert_eq(reads(0), 0);
    cr_assert_eq(request_merge_defaults(&r, &session, &err), 0);
    cr_assert_eq(r.total_timeout_ms, 9000);
    cr_assert_eq(r.max_redirects, 1);
    cr_assert_null(header("x-removed"));
    cr_assert_str_eq(header("X-Removed"), "absent");
    request_destroy(&session);
}

Test(batch, what_belongs_to_a_single_request_is_no_default)
{
    static const char *const keys[] = { "url",  "params", "body",      "body_base64",
                                        "json", "form",   "multipart", NULL };
    char text[200], detail[200];

    for (size_t i = 0; keys[i] != NULL; i++) {
        snprintf(text, sizeof text, "{" ONE ",\"defaults\":{\"%s\":\"x\"}}", keys[i]);
        snprintf(detail, sizeof detail, "defaults.%s: belongs to a single request", keys[i]);
        refuses(text, detail);
    }
}

Test(batch, a_bad_default_is_named)
{
    refuses("{" ONE ",\"defaults\":[]}", "defaults: expected an object of request keys");
    refuses("{" ONE ",\"defaults\":{\"nope\":1}}", "unknown key \"defaults.nope\"");
    refuses("{" ONE ",\"defaults\":{\"verify\":1}}", "defaults.verify: expected true or false");
    refuses("{" ONE ",\"defaults\":{\"session\":\"\"}}", "defaults.session: must not be empty");
    refuses("{" ONE ",\"defaults\":{\"forward_headers\":[\"range\"]}}",
            "defaults.forward_headers: can only be used in a handoff");
}

/* -- one request --------------------------------------------------------- */

Test(batch, a_bad_request_spoils_itself_only)
{
    takes("{\"requests\":[{\"urll\":1},{\"url\":\"http://b/\"}]}");

    cr_assert_eq(reads(0), -1);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, "unknown key \"urll\"");
    cr_assert_eq(reads(1), 0);
    cr_assert_str_eq(r.url, "http://b/");
}

Test(batch, a_bad_request_keeps_its_tag_wherever_it_stands)
{
    takes("{\"requests\":[{\"urll\":1,\"tag\":\"late\"},{\"tag\":\"early\",\"urll\":1},{\"tag\":7},"
          "{}],"
          "\"defaults\":{\"tag\":\"all\"}}");

    cr_assert_eq(reads(0), -1);
    cr_assert_str_eq(r.tag, "late");
    cr_assert_eq(reads(1), -1);
    cr_assert_str_eq(r.tag, "early");
    cr_assert_eq(reads(2), -1);
    cr_assert_str_eq(err.detail, "tag: expected a string");
    cr_assert_str_eq(r.tag, "all");
    cr_assert_eq(reads(3), -1);
    cr_assert_str_eq(err.detail, "url: required");
    cr_assert_str_eq(r.tag, "all");
}

Test(batch, requests_may_be_read_in_any_order)
{
    takes(
        "{\"requests\":[{\"url\":\"http://0/\"},{\"url\":\"http://1/\"},{\"url\":\"http://2/\"}]}");

    cr_assert_eq(reads(2), 0);
    cr_assert_str_eq(r.url, "http://2/");
    cr_assert_eq(reads(0), 0);
    cr_assert_str_eq(r.url, "http://0/");
    cr_assert_eq(reads(1), 0);
    cr_assert_str_eq(r.url, "http://1/");
    cr_assert_eq(batch_count(b), 3);
}

/* -- in pieces ------------------------------------------------------------- */

Test(batch, a_mistake_in_a_request_has_its_place_in_the_whole)
{
    refuses("{\"requests\":[{\"url\":\"http://a/\"},\n  {\"url\":1,}]}",
            "line 2, column 12: string or '}' expected near '}'");
    refuses("{\"requests\":[{\"url\":\"\u00e9\"},{\"a\":1,\"a\":2}]}",
            "line 1, column 33: duplicate key: \"a\"");
    refuses("{\"requests\":[{}}", "line 1, column 16: ']' expected near '}'");
}

Test(batch, nothing_between_commas_is_no_request)
{
    static const char *const lists[] = { "[{},]", "[,{}]", "[{},,{}]", "[,]" };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char text[60];

        snprintf(text, sizeof text, "{\"requests\":%s}", lists[i]);
        err = (struct failure){ 0 };
        cr_assert_null(batch_from_text(text, strlen(text), &REQUEST_LIMITS_DEFAULT, &err), "%s",
                       text);
        cr_assert_eq(err.error, ERROR_BAD_REQUEST);
        cr_assert_eq(strncmp(err.detail, "line 1, column ", 15), 0, "%s", err.detail);
    }
}

Test(batch, keys_may_stand_in_any_order_and_be_escaped)
{
    takes("{\"order\":\"input\",\"r\\u0065quests\":[{\"url\":\"http://a/\"},{}],\"defaults\":"
          "{\"headers\":[[\"X\",\"1\"]]}}");
    cr_assert_eq(batch_count(b), 2);
    cr_assert_eq(reads(0), 0);
    cr_assert_str_eq(header("X"), "1");
    cr_assert_eq(reads(1), -1);
    cr_assert_str_eq(err.detail, "url: required");
}

/* A request with a body of `size` bytes, behind which `more` stands. */
static char *
large(size_t size, const char *more)
{
    struct buffer text;
    size_t n;

    buffer_init(&text, SIZE_MAX / 2);
    buffer_adds(&text, "{\"requests\":[{\"url\":\"http://a/\",\"tag\":\"t\",\"body\":\"");
    for (size_t i = 0; i < size; i++)
        buffer_addc(&text, 'x');
    buffer_printf(&text, "\"%s}],\"defaults\":{\"method\":\"PUT\"}}", more);
    return buffer_steal(&text, &n);
}

Test(batch, a_large_request_is_read_with_the_batch_and_no_different)
{
    char *good = large(BATCH_LARGE, ""), *bad = large(BATCH_LARGE, ",\"json\":1");

    takes(good);
    cr_assert_eq(reads(0), 0);
    cr_assert_eq(r.body_size, BATCH_LARGE);
    cr_assert_str_eq(r.method, "PUT");
    takes(bad);
    cr_assert_eq(reads(0), -1);
    cr_assert_not_null(strstr(err.detail, "a request has one body"), "%s", err.detail);
    cr_assert_str_eq(r.tag, "t");
    takes(bad); /* freed unread */
    teardown();
    setup();
    free(good);
    free(bad);
}
