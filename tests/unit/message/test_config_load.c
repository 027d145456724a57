/* test_config_load.c - the configuration's second source: CURLEW_ variables of the environment. */

#include "message/config_load.h"

#include "support/config_file.h"

#include <criterion/criterion.h>

static struct config_file t;

static void
setup(void)
{
    config_file_open(&t);
}

static void
teardown(void)
{
    config_file_close(&t);
}

TestSuite(config_env, .init = setup, .fini = teardown);

static void
takes_variable(const char *variable)
{
    char *environment[] = { (char *)"PATH=/bin", (char *)variable, NULL };

    cr_assert_eq(config_file_load(&t, "{}", environment), 0, "%s: %s", variable, t.err.detail);
}

static void
refuses_variable(const char *variable, const char *detail)
{
    char *environment[] = { (char *)variable, NULL };

    cr_assert_eq(config_file_load(&t, "{}", environment), -1, "%s", variable);
    cr_assert_str_eq(t.err.detail, detail, "%s gave: %s", variable, t.err.detail);
}

Test(config_env, the_environment_wins_over_the_file)
{
    char *environment[] = { (char *)"CURLEW_LIMITS_IN_FLIGHT=7", (char *)"CURLEW_LISTEN=fd:3",
                            NULL };

    cr_assert_eq(config_file_load(&t,
                                  "{\"listen\":\"fd:0\",\"limits\":{\"in_flight\":5,\"queue\":6}}",
                                  environment),
                 0, "%s", t.err.detail);
    cr_assert_eq(t.config.engine.limits.in_flight, 7);
    cr_assert_eq(t.config.engine.limits.queue, 6);
    cr_assert_eq(t.config.listen_count, 1);
    cr_assert_str_eq(t.config.listen[0], "fd:3");
}

Test(config_env, commas_separate_lists_in_the_environment)
{
    takes_variable("CURLEW_LISTEN=unix:/a, [::1]:9 ,fd:3");
    cr_assert_eq(t.config.listen_count, 3);
    cr_assert_str_eq(t.config.listen[1], "[::1]:9");
    cr_assert_str_eq(t.config.listen[2], "fd:3");
    takes_variable("CURLEW_EGRESS_PORTS=80,443");
    cr_assert_eq(t.config.engine.egress.ports.list[1], 443);
    takes_variable("CURLEW_EGRESS_ALLOW=10.0.0.0/8,*.internal");
    cr_assert_str_eq(t.config.engine.egress.allow[1], "*.internal");
    takes_variable("CURLEW_EGRESS_SCHEMES=https");
    cr_assert_not(t.config.engine.egress.http);
}

Test(config_env, scalars_of_every_type_stand_in_the_environment)
{
    takes_variable("CURLEW_LOG_ACCESS=false");
    cr_assert_not(t.config.log_access);
    takes_variable("CURLEW_LOG_FORMAT=json");
    cr_assert(t.config.log_json);
    takes_variable("CURLEW_SOCKET_MODE=0600");
    cr_assert_eq(t.config.socket_mode, 0600);
    takes_variable("CURLEW_SOCKET_GROUP=33");
    cr_assert_str_eq(t.config.socket_group, "33");
    takes_variable("CURLEW_AUTH_TOKENS_FILE=/t");
    cr_assert_str_eq(t.config.tokens_file, "/t");
}

Test(config_env, an_empty_variable_counts_as_not_set)
{
    char *environment[] = { (char *)"CURLEW_RESPONDERS=", (char *)"CURLEW_EGRESS_DENY=", NULL };

    cr_assert_eq(config_file_load(&t, "{\"workers\":9,\"egress\":{\"deny\":[\"x\"]}}", environment),
                 0);
    cr_assert_eq(t.config.workers, 9);
    cr_assert_eq(t.config.engine.egress.deny_count, 1);
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

Test(config_env, an_unknown_variable_is_an_error_only_where_settings_restrict)
{
    refuses_variable("CURLEW_LIMITS_INFLIGHT=1",
                     "unknown environment variable CURLEW_LIMITS_INFLIGHT; the nearest is "
                     "CURLEW_LIMITS_IN_FLIGHT");
    refuses_variable("CURLEW_EGRESS_DENYS=",
                     "unknown environment variable CURLEW_EGRESS_DENYS; the nearest is "
                     "CURLEW_EGRESS_DENY");
    takes_variable("CURLEW_RESPONDER=2");
    takes_variable("CURLEW_=1");
    takes_variable("CURLEW_URL=http://127.0.0.1/_fetch/");
    takes_variable("CURLEW_RECORD=1");
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
