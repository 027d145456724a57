/* test_egress_config.c - the rules of the egress guard, as they were configured. */

#include "egress/egress_config.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(egress_config, begins_with_both_schemes_and_no_rules)
{
    struct egress_config r;

    egress_config_init(&r);
    cr_assert(r.http && r.https && !r.report_only);
    cr_assert_eq(r.allow_count + r.deny_count + r.ports.count + r.proxy_ports.count, 0);
    egress_config_destroy(&r);
}

Test(egress_config, a_rule_is_added_as_a_copy_at_the_end)
{
    struct egress_config r;
    char rule[20];

    egress_config_init(&r);
    for (int i = 0; i < 100; i++) {
        snprintf(rule, sizeof rule, "10.0.0.%d", i);
        cr_assert_eq(egress_config_add(&r.deny, &r.deny_count, rule), 0);
    }
    cr_assert_eq(r.allow_count, 0);
    cr_assert_eq(r.deny_count, 100);
    cr_assert_str_eq(r.deny[0], "10.0.0.0");
    cr_assert_str_eq(r.deny[99], "10.0.0.99");
    egress_config_destroy(&r);
    cr_assert_null(r.deny);
    cr_assert_eq(r.deny_count, 0);
    runner_check_leaks();
}
