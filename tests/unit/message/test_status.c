/* test_status.c - the body of …/v1/status: the metrics as JSON, with versions and each session. */

#include "message/status.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

static struct curlew *engine;

static void
setup(void)
{
    engine = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(engine);
}

TestSuite(status, .init = setup, .fini = teardown, .timeout = 20);

static json_t *
status(const struct status_gateway *g)
{
    struct buffer out;
    json_t *all;

    buffer_init(&out, 1 << 20);
    cr_assert_eq(status_write(&out, engine, g), 0);
    all = json_loadb(out.data, out.len, 0, NULL);
    cr_assert_not_null(all);
    buffer_free(&out);
    return all;
}

static json_int_t
number_at(json_t *all, const char *group, const char *key)
{
    json_t *value = json_object_get(json_object_get(all, group), key);

    cr_assert(json_is_integer(value), "%s.%s", group, key);
    return json_integer_value(value);
}

Test(status, counters_of_the_engine_and_of_the_server_stand_under_their_names)
{
    const struct status_gateway g = {
        .connections = 3, .parked = 2, .requests = 7, .cancelled = 1, .log_lines_dropped = 5
    };
    json_t *all;

    counter_add(&engine->stats.retries, 4);
    counter_add(&engine->stats.breakers[CIRCUIT_OPEN], 1);
    all = status(&g);
    cr_assert_eq(number_at(all, "engine", "retries"), 4);
    cr_assert_eq(number_at(json_object_get(all, "engine"), "breakers", "open"), 1);
    cr_assert_eq(number_at(json_object_get(all, "engine"), "breakers", "closed"), 0);
    cr_assert_eq(number_at(all, "gateway", "connections"), 3);
    cr_assert_eq(number_at(all, "gateway", "parked"), 2);
    cr_assert_eq(number_at(all, "gateway", "requests"), 7);
    cr_assert_eq(number_at(all, "gateway", "cancelled"), 1);
    cr_assert_eq(number_at(all, "log", "lines_dropped"), 5);
    json_decref(all);
    counter_add(&engine->stats.breakers[CIRCUIT_OPEN], -1);
}

Test(status, a_session_shows_its_outcomes_that_have_happened)
{
    const struct status_gateway g = { .draining = true };
    json_t *all, *outcomes;

    counter_add(&engine->config->sessions[0]->state->outcomes[ERROR_TIMEOUT], 2);
    all = status(&g);
    outcomes =
        json_object_get(json_object_get(json_object_get(all, "sessions"), "default"), "outcomes");
    cr_assert_eq(json_object_size(outcomes), 1);
    cr_assert_eq(json_integer_value(json_object_get(outcomes, "timeout")), 2);
    cr_assert_str_eq(json_string_value(json_object_get(all, "status")), "draining");
    json_decref(all);
}

Test(status, a_limited_caller_sees_its_sessions_and_no_figures_of_all)
{
    static const char *const keys[] = { "version",        "status",
                                        "uptime_seconds", "start_time_seconds",
                                        "libraries",      "limits",
                                        "sessions" };
    const struct status_gateway g = { .uptime_seconds = 3 };
    struct buffer out;
    json_t *all;

    buffer_init(&out, 1 << 20);
    cr_assert_eq(status_write_limited(&out, engine, &g, engine->config->sessions, 1), 0);
    all = json_loadb(out.data, out.len, 0, NULL);
    cr_assert_eq(json_object_size(all), sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_assert_not_null(json_object_get(all, keys[i]), "%s", keys[i]);
    cr_assert_not_null(json_object_get(json_object_get(all, "sessions"), "default"));
    json_decref(all);
    buffer_free(&out);
}

Test(status, a_histogram_shows_its_buckets_and_percentiles)
{
    const struct status_gateway g = { 0 };
    json_t *all, *seconds, *buckets;

    metrics_observe(&engine->stats.fetch_seconds, 0.0005);
    metrics_observe(&engine->stats.fetch_seconds, 100);
    all = status(&g);
    seconds = json_object_get(json_object_get(all, "engine"), "fetch_seconds");
    buckets = json_object_get(seconds, "buckets");
    cr_assert_eq(json_array_size(buckets), METRICS_BOUNDS + 1);
    cr_assert_eq(json_real_value(json_array_get(json_array_get(buckets, 0), 0)), 0.001);
    cr_assert_eq(json_integer_value(json_array_get(json_array_get(buckets, 0), 1)), 1);
    cr_assert(json_is_null(json_array_get(json_array_get(buckets, METRICS_BOUNDS), 0)));
    cr_assert_eq(json_integer_value(json_array_get(json_array_get(buckets, METRICS_BOUNDS), 1)), 2);
    cr_assert_eq(json_real_value(json_object_get(seconds, "p50")), 0.001);
    cr_assert_eq(json_real_value(json_object_get(seconds, "p99")), 60);
    json_decref(all);
}

Test(status, an_origin_and_a_sessions_responses_are_listed)
{
    const struct status_gateway g = { 0 };
    struct session_state *session = engine->config->sessions[0]->state;
    struct origin_queue *q;
    json_t *all, *origins, *first, *responses;

    counter_add(&session->classes[1], 3);
    q = origin_queue_get(&engine->workers[0]->scheduler.queues, session, "http://a.test:80");
    origin_queue_count_hop(q, true, 0);
    all = status(&g);
    origins = json_object_get(all, "origins");
    cr_assert_eq(json_integer_value(json_object_get(origins, "known")), 1);
    first = json_array_get(json_object_get(origins, "busiest"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(first, "origin")), "http://a.test:80");
    cr_assert_eq(json_integer_value(json_object_get(first, "hops")), 1);
    cr_assert_eq(json_integer_value(json_object_get(first, "failures")), 1);
    responses =
        json_object_get(json_object_get(json_object_get(all, "sessions"), "default"), "responses");
    cr_assert_eq(json_object_size(responses), 1);
    cr_assert_eq(json_integer_value(json_object_get(responses, "2xx")), 3);
    json_decref(all);
}

/* -- fetches -------------------------------------------------------------- */

static void
expect_fetches(const struct fetch_list *l, const char *text)
{
    struct buffer out;

    buffer_init(&out, 1 << 16);
    cr_assert_eq(status_write_fetches(&out, l), 0);
    cr_assert_str_eq(out.data, text);
    buffer_free(&out);
}

Test(status, no_fetch_is_an_empty_list)
{
    const struct fetch_list l = { .limit = 100 };

    expect_fetches(&l, "{\"total\":0,\"limit\":100,\"fetches\":[]}");
}

Test(status, an_age_is_in_seconds_and_never_below_zero)
{
    struct fetch_list_entry entries[] = {
        { .submitted_us = 1000000,
          .session = "shop",
          .origin = "https://example.org",
          .state = "waiting",
          .attempts = 2,
          .redirects = 1 },
        { .submitted_us = 3000000,
          .session = "default",
          .origin = "http://example.org",
          .state = "queued",
          .attempts = 1,
          .coalesced = true },
    };
    const struct fetch_list l = {
        .limit = 2, .asked_us = 2500000, .entries = entries, .count = 2, .total = 7
    };

    expect_fetches(
        &l, "{\"total\":7,\"limit\":2,\"fetches\":["
            "{\"session\":\"shop\",\"origin\":\"https://example.org\",\"state\":\"waiting\","
            "\"age\":1.5,\"attempts\":2,\"redirects\":1,\"coalesced\":false},"
            "{\"session\":\"default\",\"origin\":\"http://example.org\",\"state\":\"queued\","
            "\"age\":0.0,\"attempts\":1,\"redirects\":0,\"coalesced\":true}]}");
}
