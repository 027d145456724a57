/* test_config_table_place.c - where the settings are that an error message names. */

#include "message/config_table.h"

#include <criterion/criterion.h>

static char text[400];

static const char *
place(const char *detail)
{
    config_table_write_place(text, sizeof text, detail);
    return text;
}

Test(setting_place, is_not_told_by_a_library)
{
    cr_assert_str_eq(place("add it to egress.allow to permit it"), "");
}

Test(setting_place, with_a_file_is_the_file)
{
    static char other[] = "CURLEW_EGRESS_DENY=x", empty[] = "CURLEW_EGRESS_ALLOW=";
    char *environment[] = { other, empty, NULL };

    config_table_set_place("/etc/c.json", environment);
    cr_assert_str_eq(place("add it to egress.allow to permit it"),
                     "; egress.allow is in /etc/c.json");
    cr_assert_str_eq(place("headers: over 1000 (limits.headers)"),
                     "; limits.headers is in /etc/c.json");
    cr_assert_str_eq(place("limits.session_bytes: too many."),
                     "; limits.session_bytes is in /etc/c.json");
    cr_assert_str_eq(place("see limits.sessions_bytes."),
                     "; limits.sessions_bytes is in /etc/c.json");
}

Test(setting_place, without_a_file_is_the_variable)
{
    config_table_set_place(NULL, NULL);
    cr_assert_str_eq(
        place("add it to egress.allow"),
        "; egress.allow is the environment variable CURLEW_EGRESS_ALLOW, as there is no "
        "configuration file");
}

Test(setting_place, of_both_is_what_counts)
{
    static char allow[] = "CURLEW_EGRESS_ALLOW=10.0.0.0/8";
    char *environment[] = { allow, NULL };

    config_table_set_place("c.json", environment);
    cr_assert_str_eq(place("egress.allow"), "; egress.allow is set by the environment variable "
                                            "CURLEW_EGRESS_ALLOW, which wins over c.json");
    cr_assert_str_eq(place("egress.deny"), "; egress.deny is in c.json");
}

Test(setting_place, is_told_of_names_of_settings_only)
{
    config_table_set_place("c.json", NULL);
    cr_assert_str_eq(place(""), "");
    cr_assert_str_eq(place("listen: threads, workers"), "");
    cr_assert_str_eq(place("egress.allowed"), "");
    cr_assert_str_eq(place("my.egress.allow"), "");
    cr_assert_str_eq(place("egress.allow.x"), "");
    cr_assert_str_eq(place("limits.queue or egress.allow"), "; limits.queue is in c.json");
}
