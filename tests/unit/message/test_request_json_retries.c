/* test_request_json_retries.c - JSON to a request: `retries`. */

#include "http/request_merge.h"
#include "support/request_fixture.h"

TestSuite(message_retries, .init = setup, .fini = teardown);

#define RETRIES(detail) "{" URL ",\"retries\":" detail "}"
#define MAX             "{\"max\":1,"

Test(message_retries, a_count_is_all_it_takes)
{
    takes(RETRIES("3"));
    cr_assert_eq(r.set, SET_RETRIES);
    cr_assert_eq(r.retries.max, 3);
    cr_assert_eq(r.retries.backoff_ms, 200);
    cr_assert_eq(r.retries.max_backoff_ms, 10000);
    cr_assert(r.retries.respect_retry_after);
    takes(RETRIES("0"));
    cr_assert_eq(r.retries.max, 0);
    takes(RETRIES("100"));
    cr_assert_eq(r.retries.max, 100);
    takes("{" URL "}");
    cr_assert_eq(r.retries.max, 0);
    cr_assert_eq(r.set, 0);
}

Test(message_retries, an_object_says_how)
{
    takes(RETRIES("{\"max\":2,\"backoff\":0,\"max_backoff\":3600,\"statuses\":[500,400,599],"
                  "\"methods\":[\"POST\",\"PATCH\"],\"respect_retry_after\":false}"));
    cr_assert_eq(r.retries.max, 2);
    cr_assert_eq(r.retries.backoff_ms, 0);
    cr_assert_eq(r.retries.max_backoff_ms, 3600000);
    cr_assert(retry_policy_has_status(&r.retries, 400));
    cr_assert(retry_policy_has_status(&r.retries, 599));
    cr_assert_not(retry_policy_has_status(&r.retries, 503),
                  "its own list takes the default's place");
    cr_assert(retry_policy_has_method(&r.retries, "PATCH"));
    cr_assert_not(retry_policy_has_method(&r.retries, "GET"));
    cr_assert_not(r.retries.respect_retry_after);
}

Test(message_retries, an_empty_list_of_statuses_means_none)
{
    takes(RETRIES(MAX "\"statuses\":[]}"));
    for (int status = RETRY_POLICY_STATUS_MIN; status <= RETRY_POLICY_STATUS_MAX; status++)
        cr_assert_not(retry_policy_has_status(&r.retries, status), "%d", status);
}

Test(message_retries, kinds_of_failure_are_chosen_by_name)
{
    takes(RETRIES("1"));
    cr_assert_eq(r.retries.on, RETRY_ON_ALL);
    takes(RETRIES(MAX "\"on\":[\"status\",\"connect\",\"status\"]}"));
    cr_assert_eq(r.retries.on, RETRY_ON_STATUS | RETRY_ON_CONNECT);
    takes(RETRIES(MAX "\"on\":[\"read\"]}"));
    cr_assert_eq(r.retries.on, RETRY_ON_READ);
    refuses(RETRIES(MAX "\"on\":[]}"), "retries.on: expected a list of connect, read and status");
    refuses(RETRIES(MAX "\"on\":\"read\"}"),
            "retries.on: expected a list of connect, read and status");
    refuses(RETRIES(MAX "\"on\":[\"read\",\"write\"]}"),
            "retries.on[1]: expected one of connect, read, status");
    refuses(RETRIES(MAX "\"on\":[1]}"), "retries.on[0]: expected one of connect, read, status");
}

Test(message_retries, what_makes_no_sense_is_named)
{
    refuses(RETRIES("-1"), "retries: expected an integer from 0 to 100, or an object");
    refuses(RETRIES("101"), "retries: expected an integer from 0 to 100, or an object");
    refuses(RETRIES("1.0"), "retries: expected an integer from 0 to 100, or an object");
    refuses(RETRIES("true"), "retries: expected an integer from 0 to 100, or an object");
    refuses(RETRIES("{}"), "retries.max: required");
    refuses(RETRIES("{\"backoff\":1}"), "retries.max: required");
    refuses(RETRIES("{\"max\":101}"), "retries.max: expected an integer from 0 to 100");
    refuses(RETRIES(MAX "\"total\":1}"), "unknown key \"retries.total\"");
    refuses(RETRIES(MAX "\"backoff\":-0.1}"),
            "retries.backoff: expected a number of seconds from 0 to 3600");
    refuses(RETRIES(MAX "\"max_backoff\":3600.1}"),
            "retries.max_backoff: expected a number of seconds from 0 to 3600");
    refuses(RETRIES(MAX "\"statuses\":503}"), "retries.statuses: expected a list of statuses");
    refuses(RETRIES(MAX "\"statuses\":[503,399]}"),
            "retries.statuses[1]: expected an integer from 400 to 599");
    refuses(RETRIES(MAX "\"statuses\":[600]}"),
            "retries.statuses[0]: expected an integer from 400 to 599");
    refuses(RETRIES(MAX "\"methods\":[]}"),
            "retries.methods: expected a list of at least one method");
    refuses(RETRIES(MAX "\"methods\":\"GET\"}"),
            "retries.methods: expected a list of at least one method");
    refuses(RETRIES(MAX "\"methods\":[\"GET\",1]}"), "retries.methods[1]: expected a string");
    refuses(RETRIES(MAX "\"methods\":[\"GET PUT\"]}"),
            "retries.methods: \"GET PUT\" is not a token");
    refuses(RETRIES(MAX "\"respect_retry_after\":1}"),
            "retries.respect_retry_after: expected true or false");
}

/* -- with a session's defaults ------------------------------------------ */

static void
inherits(const char *defaults, const char *own)
{
    struct request d;
    json_t *value = json_loads(defaults, JSON_DECODE_ANY, NULL);

    request_init(&d);
    cr_assert_eq(
        request_json_read_default(&d, &(struct json_path){ NULL, "retries", 0 }, value, &err), 0,
        "%s", err.detail);
    json_decref(value);
    takes(own);
    cr_assert_eq(request_merge_defaults(&r, &d, &err), 0);
    request_destroy(&d);
}

Test(message_retries, a_request_without_any_has_its_sessions)
{
    inherits("{\"max\":4,\"backoff\":1,\"max_backoff\":2,\"statuses\":[500],\"methods\":[\"POST\"],"
             "\"respect_retry_after\":false,\"on\":[\"read\"]}",
             "{" URL "}");
    cr_assert_eq(r.retries.on, RETRY_ON_READ);
    cr_assert_eq(r.retries.max, 4);
    cr_assert_eq(r.retries.backoff_ms, 1000);
    cr_assert_eq(r.retries.max_backoff_ms, 2000);
    cr_assert(retry_policy_has_status(&r.retries, 500));
    cr_assert_not(retry_policy_has_status(&r.retries, 503));
    cr_assert(retry_policy_has_method(&r.retries, "POST"));
    cr_assert_not(r.retries.respect_retry_after);
}

Test(message_retries, a_request_that_counts_keeps_its_sessions_manner)
{
    inherits("{\"max\":4,\"backoff\":1,\"methods\":[\"POST\"]}", RETRIES("0"));
    cr_assert_eq(r.retries.max, 0);
    cr_assert_eq(r.retries.backoff_ms, 1000);
    cr_assert(retry_policy_has_method(&r.retries, "POST"));
    inherits("{\"max\":4,\"methods\":[\"POST\"]}", RETRIES("{\"max\":1,\"methods\":[\"GET\"]}"));
    cr_assert_eq(r.retries.max, 1);
    cr_assert_not(retry_policy_has_method(&r.retries, "POST"));
}
