/* test_config_load.c - the configuration's second source: CURLEW_ variables of the environment. */

#include "support/config_file.h"

TestSuite(config_env, .init = setup, .fini = teardown);

static void
takes_variable(const char *variable)
{
    char *environment[] = { (char *)"PATH=/bin", (char *)variable, NULL };

    cr_assert_eq(load("{}", environment), 0, "%s: %s", variable, err.detail);
}

static void
refuses_variable(const char *variable, const char *detail)
{
    char *environment[] = { (char *)variable, NULL };

    cr_assert_eq(load("{}", environment), -1, "%s", variable);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", variable, err.detail);
}

Test(config_env, the_environment_wins_over_the_file)
{
    char *environment[] = { (char *)"CURLEW_LIMITS_IN_FLIGHT=7", (char *)"CURLEW_LISTEN=fd:3",
                            NULL };

    cr_assert_eq(
        load("{\"listen\":\"fd:0\",\"limits\":{\"in_flight\":5,\"queue\":6}}", environment), 0,
        "%s", err.detail);
    cr_assert_eq(c.engine.limits.in_flight, 7);
    cr_assert_eq(c.engine.limits.queue, 6);
    cr_assert_eq(c.listen_count, 1);
    cr_assert_str_eq(c.listen[0], "fd:3");
}

Test(config_env, commas_separate_lists_in_the_environment)
{
    takes_variable("CURLEW_LISTEN=unix:/a, [::1]:9 ,fd:3");
    cr_assert_eq(c.listen_count, 3);
    cr_assert_str_eq(c.listen[1], "[::1]:9");
    cr_assert_str_eq(c.listen[2], "fd:3");
    takes_variable("CURLEW_EGRESS_PORTS=80,443");
    cr_assert_eq(c.engine.egress.ports[1], 443);
    takes_variable("CURLEW_EGRESS_ALLOW=10.0.0.0/8,*.internal");
    cr_assert_str_eq(c.engine.egress.allow[1], "*.internal");
    takes_variable("CURLEW_EGRESS_SCHEMES=https");
    cr_assert_not(c.engine.egress.http);
}

Test(config_env, scalars_of_every_type_stand_in_the_environment)
{
    takes_variable("CURLEW_LOG_ACCESS=false");
    cr_assert_not(c.log_access);
    takes_variable("CURLEW_LOG_FORMAT=json");
    cr_assert(c.log_json);
    takes_variable("CURLEW_SOCKET_MODE=0600");
    cr_assert_eq(c.socket_mode, 0600);
    takes_variable("CURLEW_SOCKET_GROUP=33");
    cr_assert_str_eq(c.socket_group, "33");
    takes_variable("CURLEW_AUTH_TOKENS_FILE=/t");
    cr_assert_str_eq(c.tokens_file, "/t");
}

Test(config_env, an_empty_variable_counts_as_not_set)
{
    char *environment[] = { (char *)"CURLEW_RESPONDERS=", (char *)"CURLEW_EGRESS_DENY=", NULL };

    cr_assert_eq(load("{\"responders\":9,\"egress\":{\"deny\":[\"x\"]}}", environment), 0);
    cr_assert_eq(c.responders, 9);
    cr_assert_eq(c.engine.egress.deny_count, 1);
}

Test(config_env, mistakes_in_the_environment_name_the_variable)
{
    refuses_variable("CURLEW_RESPONDERS=two",
                     "CURLEW_RESPONDERS: expected an integer from 1 to 64");
    refuses_variable("CURLEW_THREADS=0", "CURLEW_THREADS: expected an integer from 1 to 64");
    refuses_variable("CURLEW_LOG_ACCESS=1", "CURLEW_LOG_ACCESS: expected true or false");
    refuses_variable("CURLEW_EGRESS_PORTS=80,http",
                     "CURLEW_EGRESS_PORTS[1]: expected an integer from 1 to 65535");
    refuses_variable("CURLEW_EGRESS_DENY=a,,b", "CURLEW_EGRESS_DENY[1]: must not be empty");
    refuses_variable("CURLEW_EGRESS_DENY=a,\xFF", "CURLEW_EGRESS_DENY: not valid UTF-8");
}

Test(config_env, an_unknown_variable_is_an_error_but_for_the_clients)
{
    refuses_variable("CURLEW_LIMITS_INFLIGHT=1",
                     "unknown environment variable CURLEW_LIMITS_INFLIGHT");
    refuses_variable("CURLEW_=1", "unknown environment variable CURLEW_");
    refuses_variable("CURLEW_PORT=9000", "unknown environment variable CURLEW_PORT");
    refuses_variable("CURLEW_SESSIONS={}", "unknown environment variable CURLEW_SESSIONS");
    takes_variable("CURLEW_URL=http://127.0.0.1/_fetch/");
    takes_variable("CURLEWD_X=1");
}

Test(config_env, variables_that_kubernetes_makes_for_a_service_are_left_alone)
{
    takes_variable("CURLEW_SERVICE_HOST=10.0.0.1");
    takes_variable("CURLEW_SERVICE_PORT_FASTCGI=9000");
    takes_variable("CURLEW_PORT=tcp://10.0.0.1:9000");
    takes_variable("CURLEW_PORT_9000_TCP_ADDR=10.0.0.1");
    takes_variable("CURLEW_BLUE_SERVICE_PORT=9000");
}
