/* test_session_config.c - the settings of one session. */

#include "session/session_config.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct session_config from, to;
static struct failure err;

static void
setup(void)
{
    session_config_init(&from);
}

static void
teardown(void)
{
    session_config_destroy(&from);
    session_config_destroy(&to);
    runner_check_leaks();
}

TestSuite(session_config, .init = setup, .fini = teardown, .timeout = 60);

Test(session_config, begins_with_the_defaults)
{
    cr_assert_null(from.name);
    cr_assert(from.trace_context);
    cr_assert_not(from.shared_jar);
    cr_assert_eq(from.max_in_flight, 2048);
    cr_assert_eq(from.max_per_origin, 1024);
    cr_assert_eq(from.idle_connections, 256);
    cr_assert_eq(from.idle_seconds, 60);
    cr_assert_eq(from.rate_limit.rate, 0);
    cr_assert_eq(from.breaker.failures, 0);
}

Test(session_config, a_copy_has_every_setting_and_outlives_the_original)
{
    from.name = strdup("api");
    from.ca_file = strdup("/ca.pem");
    from.client_cert = strdup("/cert.pem");
    from.client_key = strdup("/key.pem");
    from.proxies = calloc(1, sizeof from.proxies[0]);
    from.proxies[0] = strdup("http://proxy.example:3128");
    from.proxy_count = 1;
    from.shared_jar = true;
    from.trace_context = false;
    from.max_in_flight = 7;
    from.max_per_origin = 6;
    from.idle_connections = 5;
    from.idle_seconds = 4;
    from.rate_limit = (struct rate_limit){ .rate = 1.5, .burst = 2 };
    from.breaker = (struct circuit_breaker_config){ .failures = 3, .open_seconds = 0.5 };
    from.by_limited_token = from.made_by_limited_token = true;
    from.ceiling[SESSION_CONFIG_FIELDS_MAX - 1] = 0.5;
    from.defaults.total_timeout_ms = 3;
    from.defaults.set = SET_TOTAL_TIMEOUT;
    cr_assert_eq(request_add_header(&from.defaults, "X", "1", &err), 0);
    cr_assert_eq(session_config_copy(&to, &from, &err), 0);
    session_config_destroy(&from);

    cr_assert_str_eq(to.name, "api");
    cr_assert_str_eq(to.ca_file, "/ca.pem");
    cr_assert_str_eq(to.client_cert, "/cert.pem");
    cr_assert_str_eq(to.client_key, "/key.pem");
    cr_assert_eq(to.proxy_count, 1);
    cr_assert_str_eq(to.proxies[0], "http://proxy.example:3128");
    cr_assert(to.shared_jar);
    cr_assert_not(to.trace_context);
    cr_assert_eq(to.max_in_flight, 7);
    cr_assert_eq(to.max_per_origin, 6);
    cr_assert_eq(to.idle_connections, 5);
    cr_assert_eq(to.idle_seconds, 4);
    cr_assert_eq(to.rate_limit.rate, 1.5);
    cr_assert_eq(to.rate_limit.burst, 2);
    cr_assert_eq(to.breaker.failures, 3);
    cr_assert_eq(to.breaker.open_seconds, 0.5);
    cr_assert(to.by_limited_token && to.made_by_limited_token);
    cr_assert_eq(to.ceiling[SESSION_CONFIG_FIELDS_MAX - 1], 0.5);
    cr_assert_eq(to.defaults.total_timeout_ms, 3);
    cr_assert_eq(to.defaults.set, SET_TOTAL_TIMEOUT);
    cr_assert_str_eq(to.defaults.headers.items[0].value, "1");
}
