/* test_egress.c - the egress guard: what passes by default, and what the rules make of it. */

#include "support/egress_fixture.h"

static struct egress *defaults;

static void
setup(void)
{
    defaults = guard_of("", "");
}

static void
teardown(void)
{
    egress_unref(defaults);
}

TestSuite(egress, .init = setup, .fini = teardown);

/* -- by default ---------------------------------------------------------- */

/* Every form that embeds an IPv4 address, with one that must not be reached and one that may. */
static const struct {
    const char *form;
    const char *loopback, *private, *metadata,
        *public; /* 127.0.0.1 10.0.0.1 169.254.169.254 8.8.8.8 */
    bool public_passes;
} forms[] = {
    { "itself", "127.0.0.1", "10.0.0.1", "169.254.169.254", "8.8.8.8", true },
    { "mapped", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8",
      true },
    { "compatible", "::127.0.0.1", "::10.0.0.1", "::169.254.169.254", "::8.8.8.8", false },
    { "translated", "::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:169.254.169.254",
      "::ffff:0:8.8.8.8", false },
    { "NAT64", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
      "64:ff9b::8.8.8.8", true },
    { "local NAT64 /96", "64:ff9b:1::127.0.0.1", "64:ff9b:1::10.0.0.1",
      "64:ff9b:1::169.254.169.254", "64:ff9b:1::8.8.8.8", false },
    { "local NAT64 /48", "64:ff9b:1:7f00:0:100::", "64:ff9b:1:a00:0:100::",
      "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:808:8:800::", false },
    { "local NAT64 /56", "64:ff9b:1:7f:0:1::", "64:ff9b:1:a:0:1::", "64:ff9b:1:a9:fe:a9fe::",
      "64:ff9b:1:8:8:808::", false },
    { "local NAT64 /64", "64:ff9b:1:0:7f:0:100:0", "64:ff9b:1:0:a:0:100:0",
      "64:ff9b:1:0:a9:fea9:fe00:0", "64:ff9b:1:0:8:808:800:0", false },
    { "6to4", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:808:808::1", true },
    { "Teredo client", "2001:0:808:808::80ff:fffe", "2001:0:808:808::f5ff:fffe",
      "2001:0:808:808::5601:5601", "2001:0:808:808::f7f7:f7f7", false },
    { "Teredo server", "2001:0:7f00:1::f7f7:f7f7", "2001:0:a00:1::f7f7:f7f7",
      "2001:0:a9fe:a9fe::f7f7:f7f7", "2001:0:808:808::f7f7:f7f7", false },
    { "ISATAP", "2a00:1450::5efe:127.0.0.1", "2a00:1450::5efe:10.0.0.1",
      "2a00:1450::5efe:169.254.169.254", "2a00:1450::5efe:8.8.8.8", true },
    { "ISATAP, universal", "2a00:1450::200:5efe:127.0.0.1", "2a00:1450::200:5efe:10.0.0.1",
      "2a00:1450::200:5efe:169.254.169.254", "2a00:1450::200:5efe:8.8.8.8", true },
    { "ISATAP in 6to4", "2002:808:808::5efe:127.0.0.1", "2002:808:808::5efe:10.0.0.1",
      "2002:808:808::5efe:169.254.169.254", "2002:808:808::5efe:8.8.8.8", true },
    { "6to4 around ISATAP", "2002:7f00:1::5efe:8.8.8.8", "2002:a00:1::5efe:8.8.8.8",
      "2002:a9fe:a9fe::5efe:8.8.8.8", "2002:808:808::200:5efe:8.8.8.8", true },
};

#define FORMS (sizeof forms / sizeof forms[0])

Test(egress, refuses_ipv4_in_whatever_form_it_is_embedded)
{
    for (size_t i = 0; i < FORMS; i++) {
        cr_expect_not(passes(defaults, forms[i].loopback), "%s", forms[i].form);
        cr_expect_not(passes(defaults, forms[i].private), "%s", forms[i].form);
        cr_expect_not(passes(defaults, forms[i].metadata), "%s", forms[i].form);
        cr_expect_eq(passes(defaults, forms[i].public), forms[i].public_passes, "%s",
                     forms[i].form);
    }
}

Test(egress, deny_of_ipv4_catches_it_in_whatever_form_it_is_embedded)
{
    struct egress *e = guard_of("0.0.0.0/0 ::/0", "8.8.8.8 127.0.0.0/8 10.0.0.0/8 169.254.0.0/16");
    struct egress *none = guard_of("0.0.0.0/0 ::/0", "");

    for (size_t i = 0; i < FORMS; i++) {
        cr_expect_not(passes(e, forms[i].loopback), "%s", forms[i].form);
        cr_expect_not(passes(e, forms[i].private), "%s", forms[i].form);
        cr_expect_not(passes(e, forms[i].metadata), "%s", forms[i].form);
        cr_expect_not(passes(e, forms[i].public), "%s", forms[i].form);
        cr_expect(passes(none, forms[i].loopback) && passes(none, forms[i].public), "%s",
                  forms[i].form);
    }
    egress_unref(e);
    egress_unref(none);
}

/* -- allow --------------------------------------------------------------- */

Test(egress, allow_of_ipv4_holds_for_itself_and_mapped_only)
{
    struct egress *e = guard_of("10.0.0.0/8", "");

    cr_expect(passes(e, "10.1.2.3"));
    cr_expect(passes(e, "::ffff:10.1.2.3"));
    cr_expect(passes(e, "8.8.8.8"));
    for (size_t i = 2; i < FORMS; i++)
        cr_expect_not(passes(e, forms[i].private), "%s", forms[i].form);
    cr_expect_not(passes(e, "9.255.255.255") && passes(e, "11.0.0.0") && passes(e, "127.0.0.1"));
    egress_unref(e);
}

Test(egress, allow_of_an_address_does_not_allow_the_one_embedded_in_it)
{
    struct egress *e = guard_of("64:ff9b::/96 ::/96 2001::/32 2002::/16 2a00::/12", "");

    cr_expect_not(passes(e, "64:ff9b::10.0.0.1"));
    cr_expect_not(passes(e, "::10.0.0.1"));
    cr_expect_not(passes(e, "2001:0:808:808::f5ff:fffe"));
    cr_expect_not(passes(e, "2002:a00:1::"));
    cr_expect_not(passes(e, "2a00::5efe:10.0.0.1"));
    cr_expect(passes(e, "::8.8.8.8"));
    cr_expect(passes(e, "::1"));
    cr_expect(passes(e, "2001:0:808:808::f7f7:f7f7"));
    egress_unref(e);
}

Test(egress, allow_of_both_addresses_permits)
{
    struct egress *e = guard_of("64:ff9b::/96 2002::/16 10.0.0.0/8", "");

    cr_expect(passes(e, "64:ff9b::10.0.0.1"));
    cr_expect(passes(e, "2002:a00:1::"));
    cr_expect_not(passes(e, "64:ff9b::127.0.0.1"));
    cr_expect_not(passes(e, "::10.0.0.1"));
    egress_unref(e);
}

Test(egress, allow_of_a_96_bit_nat64_prefix_says_where_the_ipv4_address_is)
{
    struct egress *wide = guard_of("64:ff9b:1::/48", "");
    struct egress *exact = guard_of("64:ff9b:1::/48 64:ff9b:1:fffe::/96", "");
    struct egress *nearly = guard_of("64:ff9b:1:fffe::/64 64:ff9b:1:fffe::/95", "");

    cr_expect_not(passes(wide, "64:ff9b:1:fffe::8.8.8.8")); /* might be 255.254.0.0 */
    cr_expect_not(passes(nearly, "64:ff9b:1:fffe::8.8.8.8"));
    cr_expect(passes(wide, "64:ff9b:1::8.8.8.8"));
    cr_expect_not(passes(wide, "64:ff9b:1:7f00:0:100:808:808"));
    cr_expect(passes(exact, "64:ff9b:1:fffe::8.8.8.8"));
    cr_expect_not(passes(exact, "64:ff9b:1:fffe::127.0.0.1"));
    cr_expect_not(passes(exact, "64:ff9b:1:fffe::"));
    cr_expect_not(passes(exact, "64:ff9b:1:fffd::8.8.8.8"));
    egress_unref(wide);
    egress_unref(exact);
    egress_unref(nearly);
}

Test(egress, every_ipv6_address_is_not_every_ipv4_address)
{
    struct egress *six = guard_of("::/0", ""), *four = guard_of("0.0.0.0/0", "");
    struct egress *no_six = guard_of("", "::/0"), *no_four = guard_of("", "0.0.0.0/0");

    cr_expect(passes(six, "fd00::1") && passes(four, "127.0.0.1"));
    cr_expect_not(passes(six, "127.0.0.1"));
    cr_expect_not(passes(six, "::ffff:127.0.0.1"));
    cr_expect_not(passes(four, "::1"));
    cr_expect(passes(no_six, "8.8.8.8"));
    cr_expect_not(passes(no_six, "2606:4700::1111"));
    cr_expect_not(passes(no_four, "8.8.8.8"));
    cr_expect_not(passes(no_four, "64:ff9b::8.8.8.8"));
    cr_expect(passes(no_four, "2606:4700::1111"));
    egress_unref(six);
    egress_unref(four);
    egress_unref(no_six);
    egress_unref(no_four);
}

/* -- the order of the rules ---------------------------------------------- */

Test(egress, deny_wins_over_allow_and_allow_over_the_default)
{
    struct egress *e = guard_of("10.0.0.0/8 10.1.1.1 8.8.8.8 fd00::/8",
                                "10.1.0.0/16 8.8.0.0/16 fd00:1::/32 ::ffff:10.2.0.0/112");

    cr_expect(passes(e, "10.0.255.255"));
    cr_expect_not(passes(e, "10.1.0.0"));
    cr_expect_not(passes(e, "10.1.1.1"), "though the narrower rule allows it");
    cr_expect_not(passes(e, "10.1.255.255"));
    cr_expect_not(passes(e, "10.2.0.0"), "a mapped network is an IPv4 network");
    cr_expect(passes(e, "10.3.0.0"));
    cr_expect_not(passes(e, "8.8.8.8"));
    cr_expect(passes(e, "8.9.0.0"));
    cr_expect(passes(e, "fd00::1") && !passes(e, "fd00:1::1"));
    cr_expect_not(passes(e, "fc00::1"));
    egress_unref(e);
}

Test(egress, allow_opens_what_looks_public_and_is_not)
{
    struct egress *e = guard_of("168.63.129.16 100.64.0.0/10", "100.100.100.200");

    cr_expect_not(passes(defaults, "168.63.129.16"));
    cr_expect(passes(e, "168.63.129.16"));
    cr_expect(passes(e, "100.64.0.1"));
    cr_expect_not(passes(e, "100.100.100.200"));
    egress_unref(e);
}

/* -- what is said -------------------------------------------------------- */

static const struct {
    const char *allow, *deny, *host, *address, *detail;
} sayings[] = {
    { "", "", NULL, "127.0.0.1",
      "127.0.0.1 is a loopback address (RFC 1122): the egress guard refuses it; add it to "
      "egress.allow to permit it" },
    { "", "", "localhost", "::1",
      "::1 is a loopback address (RFC 4291): the egress guard refuses it; add it or localhost to "
      "egress.allow to permit it" },
    { "", "", NULL, "::ffff:169.254.169.254",
      "169.254.169.254 is a cloud metadata address (AWS, Azure, Google and others): the egress "
      "guard refuses it; add it to egress.allow to permit it" },
    { "", "", NULL, "64:ff9b::10.0.0.1",
      "64:ff9b::a00:1 embeds 10.0.0.1, a private address (RFC 1918): the egress guard refuses "
      "it; add both to egress.allow to permit it" },
    { "", "", "a.test", "2002:7f00:1::",
      "2002:7f00:1:: embeds 127.0.0.1, a loopback address (RFC 1122): the egress guard refuses "
      "it; add both or a.test to egress.allow to permit it" },
    { "", "", NULL, "4000::1",
      "4000::1 is an address outside the public 2000::/3 (RFC 4291): the egress guard refuses "
      "it; add it to egress.allow to permit it" },
    { "10.0.0.0/8", "10.0.0.0/8", NULL, "10.0.0.1",
      "10.0.0.1 is denied by the rule \"10.0.0.0/8\" in egress.deny" },
    { "", "10.0.0.0/8 10.0.0.0/24", "a.test", "10.0.0.1",
      "10.0.0.1 is denied by the rule \"10.0.0.0/24\" in egress.deny; a.test resolves "
      "to it" },
    { "", "10.0.0.0/8", NULL, "64:ff9b::10.0.0.1",
      "64:ff9b::a00:1 embeds 10.0.0.1, which is denied by the rule \"10.0.0.0/8\" in "
      "egress.deny" },
    { "*.test", "*.A.test.", "x.a.test", "8.8.8.8",
      "x.a.test is denied by the rule \"*.A.test.\" in egress.deny" },
};

Test(egress, names_the_destination_the_rule_and_the_option)
{
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        struct egress *e = guard_of(sayings[i].allow, sayings[i].deny);
        struct failure err;

        cr_expect_not(passes_as(e, sayings[i].host, sayings[i].address, &err));
        cr_expect_str_eq(err.detail, sayings[i].detail);
        egress_unref(e);
    }
}

Test(egress, says_which_option_even_where_the_names_are_endless)
{
    char host[1001];
    struct failure err;

    memset(host, 'a', sizeof host);
    host[sizeof host - 1] = '\0';
    cr_expect_not(passes_as(defaults, host, "127.0.0.1", &err));
    cr_expect_not_null(strstr(err.detail, "to egress.allow to permit it"), "%s", err.detail);
}

/* -- what is not IP ------------------------------------------------------ */

Test(egress, refuses_every_family_but_ip)
{
    static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK };
    struct egress *e = guard_of("0.0.0.0/0 ::/0 example.com", "");

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct sockaddr_storage s = { .ss_family = families[i] };
        struct failure err = { 0 };

        cr_expect_not(egress_allows_address(e, "example.com", (struct sockaddr *)&s, &err));
        cr_expect_eq(err.error, ERROR_BLOCKED);
    }
    egress_unref(e);
}

Test(egress, keeps_report_only_for_its_caller_and_judges_all_the_same)
{
    struct egress_config rules;
    struct failure err = { 0 };
    struct egress *e;

    egress_config_init(&rules);
    rules.report_only = true;
    e = egress_new(&rules, &err);
    cr_assert(egress_is_report_only(e) && !egress_is_report_only(defaults));
    cr_assert_not(passes(e, "127.0.0.1"));
    egress_unref(e);
    egress_config_destroy(&rules);
}
