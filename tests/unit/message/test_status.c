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
        .connections = 3, .parked = 2, .requests = 7, .cancelled = 1
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
