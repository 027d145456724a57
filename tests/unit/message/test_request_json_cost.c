/*
 * test_request_json_cost.c - what it costs to read a request object grows as its text does.
 *
 * Eight times the text may cost at most 32 times as much: where each item is compared with each, it
 * is 64 times.  With the environment variable CURLEW_TEST_COSTS the figures are printed.
 */

#include "message/request_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMES 8

static double
cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
fill(struct buffer *text, const char *start, const char *item, size_t count, const char *end)
{
    buffer_init(text, SIZE_MAX / 2);
    buffer_adds(text, start);
    for (size_t i = 0; i < count; i++) {
        buffer_adds(text, i > 0 ? "," : "");
        buffer_adds(text, item);
    }
    buffer_adds(text, end);
}

/* ms a MiB; the least of three tries: the machine does other things, too. */
static double
cost_of(const struct buffer *text)
{
    double least = 1e9;

    for (int i = 0; i < 3; i++) {
        struct failure err = { 0 };
        struct request r;
        double start, took;

        request_init(&r);
        r.most = (struct request_limits){ 1 << 20, 1 << 20, 1 << 20, 1 << 20 };
        start = cpu_ms();
        request_json_parse(&r, text->data, text->len, &err);
        request_destroy(&r);
        took = cpu_ms() - start;
        least = took < least ? took : least;
    }
    return least / ((double)text->len / 1048576);
}

static double
cost_of_items(const char *start, const char *item, size_t count, const char *end)
{
    struct buffer text;
    double ms;

    fill(&text, start, item, count, end);
    ms = cost_of(&text);
    buffer_free(&text);
    return ms;
}

static void
is_linear_behind(const char *start, const char *item, size_t count, const char *end)
{
    double few = cost_of_items(start, item, count / TIMES, end);
    double many = cost_of_items(start, item, count, end);

    if (getenv("CURLEW_TEST_COSTS") != NULL)
        fprintf(stderr, "%.20s… %-24s %6.1f %6.1f ms a MiB\n", start, item, few, many);
    cr_assert_lt(many, few * TIMES / 2, "%.60s%s: %.1f ms a MiB, of less text %.1f", start, item,
                 many, few);
}

static void
is_linear(const char *key, const char *item, size_t count, const char *end)
{
    char start[100];

    snprintf(start, sizeof start, "{\"url\":\"http://a/\",%s", key);
    is_linear_behind(start, item, count, end);
}

Test(request_json_cost, lists_of_pairs)
{
    is_linear("\"headers\":[", "[\"a\",\"b\"]", 150000, "]}");
    is_linear("\"headers\":[", "[\"a\",null]", 150000, "]}");
    is_linear("\"params\":[", "[\"a\",\"b\"]", 100000, "]}");
    is_linear("\"params\":{\"a\":[", "1", 200000, "]}}");
    is_linear("\"form\":[", "[\"a\",\"b\"]", 100000, "]}");
    is_linear("\"cookies\":[", "{\"name\":\"a\",\"value\":\"b\"}", 40000, "]}");
    is_linear("\"multipart\":[", "{\"name\":\"a\",\"value\":\"b\"}", 40000, "]}");
    is_linear("\"forward_headers\":[", "\"a\"", 200000, "]}");
    is_linear("\"retries\":{\"max\":1,\"methods\":[", "\"A\"", 200000, "]}}");
}

Test(request_json_cost, json_of_small_values)
{
    is_linear("\"json\":[", "{}", 200000, "]}");
    is_linear("\"json\":[", "[]", 300000, "]}");
    is_linear("\"json\":[", "1", 500000, "]}");
    is_linear("\"json\":[", "19.99", 200000, "]}");
    is_linear("\"json\":[", "{\"a\":1,\"bcd\":\"text\"}", 50000, "]}");
}

Test(request_json_cost, long_text)
{
    is_linear("\"body\":\"", "x", 1000000, "\"}");
    is_linear("\"body\":\"", "\\u0001", 200000, "\"}");
    is_linear("\"body\":\"", "\\n", 500000, "\"}");
}

Test(request_json_cost, params_behind_a_long_path)
{
    char path[60001], start[61000];

    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    snprintf(start, sizeof start, "{\"url\":\"http://a/%s\",\"params\":[", path);
    is_linear_behind(start, "[\"a\",\"b\"]", 100000, "]}");
}
