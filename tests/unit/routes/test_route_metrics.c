/* test_route_metrics.c - GET …/metrics: the counters in Prometheus' text format. */

#include "routes/route_metrics.h"

#include "engine/engine.h"
#include "libcurl/curl_features.h"
#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_metrics, .init = setup, .fini = teardown, .timeout = 30);

static int
count(const char *text, const char *wanted)
{
    int n = 0;

    while ((text = strstr(text, wanted)) != NULL) {
        text += strlen(wanted);
        n++;
    }
    return n;
}

Test(route_metrics, every_metric_has_a_help_and_a_type_before_its_first_value)
{
    char *text, *rest, *line, name[64] = "";

    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_metrics_on_request(&t.x);
    route_fixture_response(&t);
    text = strstr(t.response.data, "\r\n\r\n") + 4;
    cr_assert_eq(count(text, "# HELP "), count(text, "# TYPE "));
    cr_assert_gt(count(text, "# TYPE "), 20);
    for (rest = text; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        if (sscanf(line, "# HELP %63s", name) == 1)
            cr_assert_eq(line[strlen(line) - 1], '.', "%s", line);
        else if (*line != '#')
            cr_assert_eq(strncmp(line, name, strlen(name)), 0, "%s is no %s", line, name);
    }
}

Test(route_metrics, the_libcurl_in_use_shows_as_labels)
{
    char wanted[64];

    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_metrics_on_request(&t.x);
    route_fixture_response(&t);
    snprintf(wanted, sizeof wanted, "\ncurlew_libcurl_info{version=\"%s\",file=\"/",
             curl_features_version());
    cr_assert_not_null(strstr(t.response.data, wanted));
    cr_assert_not_null(strstr(t.response.data, "\ncurlew_impersonate_targets 0\n"));
}

Test(route_metrics, counters_show_with_their_labels)
{
    struct session_state *state = t.server.engine->config->sessions[0]->state;

    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    counter_add(&t.server.engine->stats.retries, 3);
    counter_add(&t.server.engine->stats.breakers[CIRCUIT_HALF_OPEN], 2);
    counter_add(&t.server.stats.cancelled, 4);
    counter_add(&state->outcomes[ERROR_DNS_FAILED], 5);
    route_metrics_on_request(&t.x);
    route_fixture_expect(&t, "text/plain; version=0.0.4");
    cr_assert_eq(count(t.response.data, "\ncurlew_retries_total 3\n"), 1);
    cr_assert_eq(count(t.response.data, "\ncurlew_breakers{state=\"half_open\"} 2\n"), 1);
    cr_assert_eq(count(t.response.data, "\ncurlew_cancelled_total 4\n"), 1);
    cr_assert_eq(count(t.response.data,
                       "\ncurlew_fetches_total{session=\"default\",outcome=\"dns_failed\"} 5\n"),
                 1);
}

Test(route_metrics, a_limited_token_sees_the_series_of_its_sessions_alone)
{
    char *text, *rest, *line;
    int series = 0;

    route_fixture_set_tokens(&t, ROUTE_FIXTURE_TOKEN " default\n");
    ROUTE_ACCEPT(&t, "HTTP_AUTHORIZATION", "Bearer " ROUTE_FIXTURE_TOKEN);
    route_metrics_on_request(&t.x);
    route_fixture_expect(&t, "Status: 200");
    text = strstr(t.response.data, "\r\n\r\n") + 4;
    for (rest = text; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
        if (*line != '#') {
            cr_assert_not_null(strstr(line, "{session=\"default\","), "%s", line);
            series++;
        }
    cr_assert_geq(series, 2);
}

Test(route_metrics, a_token_for_a_session_that_does_not_exist_sees_none)
{
    route_fixture_set_tokens(&t, ROUTE_FIXTURE_TOKEN " shop\n");
    ROUTE_ACCEPT(&t, "HTTP_AUTHORIZATION", "Bearer " ROUTE_FIXTURE_TOKEN);
    route_metrics_on_request(&t.x);
    route_fixture_expect(&t, "Status: 200");
    cr_assert_null(strstr(t.response.data, "session="));
}
