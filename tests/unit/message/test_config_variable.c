/* test_config_variable.c - which CURLEW_ variables are settings, others', unknown or refused. */

#include "message/config_variable.h"

#include <criterion/criterion.h>

#include <string.h>

static void
is_kind(enum config_variable kind, const char *name, const char *value)
{
    cr_assert_eq(config_variable_kind(name, value), kind, "%s=%s", name, value);
}

Test(config_variable, settings)
{
    is_kind(CONFIG_VARIABLE_SETTING, "CURLEW_AUTH_ORIGINS", "");
    is_kind(CONFIG_VARIABLE_SETTING, "CURLEW_EGRESS_PROXY_PORTS", "3128");
    is_kind(CONFIG_VARIABLE_SETTING, "CURLEW_EGRESS_PORTS", "tcp://80");
}

Test(config_variable, those_of_the_client_and_of_services_are_not_for_the_daemon)
{
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_URL", "x");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_RECORD", "1");
    is_kind(CONFIG_VARIABLE_OTHERS, "PATH", "/bin");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEWD_X", "1");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_PORT", "tcp://10.0.0.1:9000");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_PORT_9000_TCP", "tcp://10.0.0.1:9000");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_AUTH_SERVICE_HOST", "10.0.0.1");
    is_kind(CONFIG_VARIABLE_OTHERS, "CURLEW_LIMITS_PORT_9000_TCP_PROTO", "tcp");
}

Test(config_variable, unknown_ones_are_refused_where_settings_restrict)
{
    is_kind(CONFIG_VARIABLE_REFUSED, "CURLEW_EGRESS_PORT", "80");
    is_kind(CONFIG_VARIABLE_REFUSED, "CURLEW_EGRESS", "");
    is_kind(CONFIG_VARIABLE_REFUSED, "CURLEW_AUTH_TOKENS", "x");
    is_kind(CONFIG_VARIABLE_REFUSED, "CURLEW_LIMITS_", "1");
    is_kind(CONFIG_VARIABLE_UNKNOWN, "CURLEW_AUTHOR", "me");
    is_kind(CONFIG_VARIABLE_UNKNOWN, "CURLEW_PORT", "9000");
    is_kind(CONFIG_VARIABLE_UNKNOWN, "CURLEW_", "1");
    is_kind(CONFIG_VARIABLE_UNKNOWN, "CURLEW_egress_deny", "x");
}

static void
has_nearest(const char *name, const char *expected)
{
    char to[100];

    cr_assert_str_eq(config_variable_nearest(to, sizeof to, name), expected, "%s", name);
}

Test(config_variable, the_nearest_has_the_fewest_letters_changed)
{
    has_nearest("CURLEW_LISTENS", "CURLEW_LISTEN");
    has_nearest("CURLEW_THRAEDS", "CURLEW_THREADS");
    has_nearest("CURLEW_DRAIN_SECOND", "CURLEW_DRAIN_SECONDS");
    has_nearest("CURLEW_AUTH_ORIGIN", "CURLEW_AUTH_ORIGINS");
}

Test(config_variable, a_long_name_is_compared_by_its_beginning)
{
    char name[400], to[100];

    memset(name, 'X', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(name, "CURLEW_LISTEN", 13);
    cr_assert(strncmp(config_variable_nearest(to, sizeof to, name), "CURLEW_", 7) == 0);
}
