/* test_egress_rule.c - which texts are rules of the egress guard, and the errors of the others. */

#include "egress/egress_rule.h"

#include "support/egress_fixture.h"

#include <stdio.h>

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"
#define N253                \
    L63 "." L63 "." L63 "." \
        "a23456789012345678901234567890123456789012345678901234567890b"

static struct egress *
try_rule(const char *allow, const char *deny, struct failure *err)
{
    struct egress_config rules;
    struct egress *e;

    *err = (struct failure){ 0 };
    egress_config_init(&rules);
    if (allow != NULL)
        cr_assert_eq(egress_config_add(&rules.allow, &rules.allow_count, allow), 0);
    if (deny != NULL)
        cr_assert_eq(egress_config_add(&rules.deny, &rules.deny_count, deny), 0);
    e = egress_new(&rules, err);
    egress_config_destroy(&rules);
    return e;
}

Test(egress_rules, good_ones_are_taken)
{
    static const char *const good[] = {
        "10.0.0.0/8",
        "10.0.0.1",
        "10.0.0.1/32",
        "0.0.0.0/0",
        "::/0",
        "::1",
        "::1/128",
        "fd00::/8",
        "::ffff:0:0/96",
        "::ffff:10.0.0.0/104",
        "2001:DB8::/32",
        "128.0.0.0/1",
        "example.com",
        "example.com.",
        "EXAMPLE.com",
        "localhost",
        "*.example.com",
        "*.com",
        "*.a-b.c_d.com.",
        "a",
        "_srv.test",
        "1and1.com",
        "3com.com",
        "a.1b",
        "0x7g",
        "xn--p1ai",
        "*.xn--p1ai",
        L63,
        N253,
        "*." N253,
    };

    cr_assert_eq(strlen(N253), 253);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct failure err;
        struct egress *e = try_rule(good[i], good[i], &err);

        cr_expect_not_null(e, "%s", err.detail);
        egress_unref(e);
    }
}

static const struct {
    const char *rule, *flaw;
} bad[] = {
    { "10.0.0.1/8", "bits are set after the first 8; write 10.0.0.0/8" },
    { "10.0.0.1/31", "bits are set after the first 31; write 10.0.0.0/31" },
    { "10.0.0.0/0", "bits are set after the first 0; write 0.0.0.0/0" },
    { "::ffff:1.2.3.4/112", "bits are set after the first 112; write 1.2.0.0/16" },
    { "::ffff:10.0.0.0/96", "bits are set after the first 96; write 0.0.0.0/0" },
    { "fd00::1/64", "bits are set after the first 64; write fd00::/64" },
    { "10.0.0.0/33", "the part after the slash is not a number from 0 to 32" },
    { "::/129", "the part after the slash is not a number from 0 to 128" },
    { "10.0.0.0/99999999999999999999", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/-1", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/+8", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/08", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/8 ", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/8/8", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/255.0.0.0", "the part after the slash is not a number from 0 to 32" },
    { "10.0.0.0/0x8", "the part after the slash is not a number from 0 to 32" },
    { "/8", "the part before the slash is not an IP address" },
    { "10/8", "the part before the slash is not an IP address" },
    { "010.0.0.0/8", "the part before the slash is not an IP address" },
    { "[fd00::]/8", "the part before the slash is not an IP address" },
    { "fe80::%eth0/10", "the part before the slash is not an IP address" },
    { "http://example.com/", "the part before the slash is not an IP address" },
    { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/8",
      "the part before the slash is not an IP address" },
    { "*", "\"*\" is not a rule; 0.0.0.0/0 and ::/0 match every address" },
    { "*.", "a label of the host name is empty" },
    { "", "a label of the host name is empty" },
    { ".", "a label of the host name is empty" },
    { "..", "a label of the host name is empty" },
    { "a..b", "a label of the host name is empty" },
    { "a..", "a label of the host name is empty" },
    { ".example.com", "a label of the host name is empty" },
    { "*..example.com", "a label of the host name is empty" },
    { "*example.com", "nor *.suffix" },
    { "*.*.example.com", "nor *.suffix" },
    { "www.*.com", "nor *.suffix" },
    { "foo bar", "nor *.suffix" },
    { " example.com", "nor *.suffix" },
    { "example.com\n", "nor *.suffix" },
    { "example.com:80", "nor *.suffix" },
    { "user@example.com", "nor *.suffix" },
    { "[::1]", "nor *.suffix" },
    { "fe80::1%eth0", "nor *.suffix" },
    { "10.0.0.0-10.0.0.9:", "nor *.suffix" },
    { "b\xc3\xbc"
      "cher.example",
      "punycode" },
    { "\xef\xbc\x91.example", "punycode" },
    { "127.1", "a host name cannot end in a number" },
    { "10.0.0", "a host name cannot end in a number" },
    { "10.0.0.256", "a host name cannot end in a number" },
    { "010.0.0.1", "a host name cannot end in a number" },
    { "10.0.0.1.", "a host name cannot end in a number" },
    { "2130706433", "a host name cannot end in a number" },
    { "0x7f000001", "a host name cannot end in a number" },
    { "0X7F.1", "a host name cannot end in a number" },
    { "127.0x", "a host name cannot end in a number" },
    { "*.1", "a host name cannot end in a number" },
    { "*.0.0.1", "a host name cannot end in a number" },
    { "a" L63, "longer than 63 bytes" },
    { N253 "c", "longer than 253 bytes" },
    { "*." N253 "c", "longer than 253 bytes" },
};

Test(egress_rules, bad_ones_are_refused_with_what_is_wrong)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char quoted[128];
        struct failure err;

        snprintf(quoted, sizeof quoted, "\"%.100s\"", bad[i].rule);
        cr_expect_null(try_rule(bad[i].rule, NULL, &err), "%s", bad[i].rule);
        cr_expect_eq(err.error, ERROR_BAD_REQUEST, "%s", bad[i].rule);
        cr_expect_eq(strncmp(err.detail, "egress.allow: ", 14), 0, "%s", err.detail);
        cr_expect_not_null(strstr(err.detail, bad[i].flaw), "%s: %s", bad[i].rule, err.detail);
        cr_expect(strstr(err.detail, quoted) != NULL, "%s: %s", bad[i].rule, err.detail);
        cr_expect_null(try_rule(NULL, bad[i].rule, &err), "%s", bad[i].rule);
        cr_expect_eq(strncmp(err.detail, "egress.deny: ", 13), 0, "%s", err.detail);
    }
}

Test(egress_rules, of_a_long_list_the_bad_one_is_named)
{
    struct egress_config rules;
    struct failure err = { 0 };

    egress_config_init(&rules);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(egress_config_add(&rules.deny, &rules.deny_count, "192.0.2.1"), 0);
    cr_assert_eq(egress_config_add(&rules.deny, &rules.deny_count, "192.0.2.1/24"), 0);
    cr_assert_null(egress_new(&rules, &err));
    cr_assert_not_null(strstr(err.detail, "egress.deny: \"192.0.2.1/24\""));
    egress_config_destroy(&rules);
}

Test(egress_rules, are_copied_so_the_settings_may_go)
{
    struct egress *e = guard_of("10.0.0.0/8 a.test", "10.1.0.0/16"); /* destroys them */
    struct failure err;

    cr_assert(passes(e, "10.0.0.1") && !passes(e, "10.1.0.1"));
    cr_assert(passes_as(e, "a.test", "127.0.0.1", &err));
    egress_unref(e);
}

/* -- lists of hosts ---------------------------------------------------------- */

Test(egress_rules, a_list_has_names_and_addresses_in_any_spelling)
{
    static char *texts[] = { (char *)"api.test", (char *)"*.b.test", (char *)"192.0.2.1",
                             (char *)"2001:db8::1" };
    static const char *const in[] = { "api.test",  "API.test.",        "x.b.test",     "192.0.2.1",
                                      "192.0.513", "::ffff:192.0.2.1", "2001:db8:0::1" };
    static const char *const out[] = { "b.test",    "x.api.test", "api.test.evil",
                                       "192.0.2.2", "::1",        "xb.test" };
    struct egress_rule_list list;
    struct failure err = { 0 };

    cr_assert_eq(egress_rule_list_init(&list, texts, 4, "hosts", &err), 0, "%s", err.detail);
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        cr_expect(egress_rule_list_has(&list, in[i]), "%s", in[i]);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        cr_expect_not(egress_rule_list_has(&list, out[i]), "%s", out[i]);
    egress_rule_list_destroy(&list);
}
