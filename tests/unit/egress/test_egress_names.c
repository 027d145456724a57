/* test_egress_names.c - the egress guard: host names, URLs, ports and schemes. */

#include "support/egress_fixture.h"

#define PRIVATE "10.0.0.1"
#define PUBLIC  "8.8.8.8"

static bool
passes_url(const struct egress *e, const char *scheme, const char *host, int port)
{
    struct failure err = { 0 };
    bool ok = egress_allows_url(e, scheme, host, port, &err);

    cr_expect_eq(err.error, ok ? ERROR_NONE : ERROR_BLOCKED, "%s", host);
    return ok;
}

/* -- which names a rule means -------------------------------------------- */

static const struct {
    const char *rule, *host;
    bool meant;
} names[] = {
    { "example.com", "example.com", true },
    { "example.com", "EXAMPLE.com", true },
    { "ExAmPlE.CoM", "example.com", true },
    { "example.com", "example.com.", true },
    { "example.com.", "example.com", true },
    { "example.com", "example.com..", false },
    { "example.com", "www.example.com", false },
    { "example.com", "evilexample.com", false },
    { "example.com", "example.com.evil.test", false },
    { "example.com", "example.co", false },
    { "example.com", "", false },
    { "*.example.com", "www.example.com", true },
    { "*.example.com", "a.b.c.example.com", true },
    { "*.Example.com.", "WWW.example.COM.", true },
    { "*.example.com", "example.com", false },
    { "*.example.com", ".example.com", false },
    { "*.example.com", "evilexample.com", false },
    { "*.example.com", "example.com.evil.test", false },
    { "*.example.com", "www.example.com.evil.test", false },
    { "*.example.com", "www.example.com%00.evil.test", false },
    { "*.internal", "metadata.google.internal", true },
    { "localhost", "localhost", true },
    { "localhost", "localhost.localdomain", false },
    { "my_service", "my_service", true },
    { "xn--bcher-kva.example", "xn--bcher-kva.example", true },
};

Test(egress_names, mean_themselves_and_suffixes_what_is_below_them)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct egress *allowed = guard_of(names[i].rule, "");
        struct egress *denied = guard_of("", names[i].rule);
        struct failure err;

        cr_expect_eq(passes_as(allowed, names[i].host, PRIVATE, &err), names[i].meant, "%s on %s",
                     names[i].rule, names[i].host);
        cr_expect_eq(passes_as(denied, names[i].host, PUBLIC, &err), !names[i].meant, "%s on %s",
                     names[i].rule, names[i].host);
        cr_expect_eq(passes_url(denied, "http", names[i].host, 80), !names[i].meant, "%s on %s",
                     names[i].rule, names[i].host);
        egress_unref(allowed);
        egress_unref(denied);
    }
}

Test(egress_names, allowed_permit_whatever_they_lead_to_but_what_is_denied)
{
    struct egress *e = guard_of("*.corp.test", "169.254.0.0/16 secret.corp.test");
    struct failure err;

    cr_expect(passes_as(e, "a.corp.test", PRIVATE, &err));
    cr_expect(passes_as(e, "a.corp.test", "::1", &err));
    cr_expect(passes_as(e, "a.corp.test", "64:ff9b::10.0.0.1", &err));
    cr_expect_not(passes_as(e, "a.corp.test", "169.254.169.254", &err));
    cr_expect_not(passes_as(e, "a.corp.test", "64:ff9b::169.254.169.254", &err));
    cr_expect_not(passes_as(e, "secret.corp.test", PRIVATE, &err));
    cr_expect_not(passes_as(e, "secret.corp.test", PUBLIC, &err));
    cr_expect_not(passes_as(e, "corp.test", PRIVATE, &err));
    cr_expect_not(passes_as(e, NULL, PRIVATE, &err));
    egress_unref(e);
}

/* -- the URL ------------------------------------------------------------- */

Test(egress_names, of_any_kind_wait_for_their_address)
{
    static const char *const hosts[] = { "example.com", "localhost",      "a.internal", "1.2.3.4.5",
                                         "4294967296",  "127.0.0.256",    "a%b",        "[::1]",
                                         "::1::",       "10.0.0.1.nip.io" };
    struct egress *e = guard_of("", "");

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        cr_expect(passes_url(e, "https", hosts[i], 443), "%s", hosts[i]);
    egress_unref(e);
}

Test(egress_names, that_are_addresses_are_judged_at_once)
{
    static const char *const refused[] = {
        "127.0.0.1",
        "127.0.0.1.",
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "::",
        "::1",
        "::1%lo",
        "fe80::1%eth0",
        "fe80::1%25eth0",
        "fd00::1",
        "::ffff:7f00:1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "::1%.example.com",
        "127.0.0.1%x",
        "2002:7f00:1::",
        "0:0:0:0:0:0:0:1",
        "0:0:0:0:0:ffff:7f00:1",
    };
    static const char *const allowed[] = { "8.8.8.8",           "2606:4700:4700::1111",
                                           "64:ff9b::808:808",  "::ffff:8.8.8.8",
                                           "2606:4700::1%eth0", "8.8.8.8.",
                                           "134744072",         "0x08080808." };
    struct egress *e = guard_of("*.example.com", "");

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_expect_not(passes_url(e, "http", refused[i], 80), "%s", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        cr_expect(passes_url(e, "http", allowed[i], 80), "%s", allowed[i]);
    egress_unref(e);
}

Test(egress_names, that_are_addresses_obey_the_rules_for_addresses)
{
    struct egress *e = guard_of("10.0.0.0/8 fd00::/8", "10.0.0.13 8.8.8.8");

    cr_expect(passes_url(e, "http", "10.0.0.1", 80));
    cr_expect(passes_url(e, "http", "fd00::1", 80));
    cr_expect_not(passes_url(e, "http", "10.0.0.13", 80));
    cr_expect_not(passes_url(e, "http", "::ffff:8.8.8.8", 80));
    egress_unref(e);
}

static struct egress *
guard_with_ports(int *ports, size_t count, bool http, bool https, struct failure *err)
{
    struct egress_config rules;

    egress_config_init(&rules);
    rules.ports = (struct egress_ports){ ports, count };
    rules.http = http;
    rules.https = https;
    return egress_new(&rules, err);
}

Test(egress_names, go_to_the_listed_ports_only)
{
    int ports[] = { 443, 8443, 1, 65535 };
    struct failure err = { 0 };
    struct egress *e = guard_with_ports(ports, 4, true, true, &err);
    struct egress *any = guard_of("", "");

    cr_expect(passes_url(e, "https", "example.com", 443) && passes_url(e, "https", PUBLIC, 8443));
    cr_expect(passes_url(e, "http", "example.com", 1) && passes_url(e, "http", PUBLIC, 65535));
    cr_expect_not(passes_url(e, "http", "example.com", 80) || passes_url(e, "http", PUBLIC, 80));
    cr_expect(passes_url(any, "http", PUBLIC, 1) && passes_url(any, "http", PUBLIC, 65535));
    cr_expect_not(passes_url(any, "http", PUBLIC, 0) || passes_url(any, "http", PUBLIC, 65536));
    cr_assert_not(egress_allows_url(e, "http", "example.com", 6379, &err));
    cr_expect_str_eq(err.detail, "port 6379 of example.com is refused: the egress guard's "
                                 "egress.ports does not list it; add it there to permit it");
    egress_unref(e);
    egress_unref(any);
}

Test(egress_names, are_fetched_by_the_listed_schemes_only)
{
    static const char *const schemes[] = { "ftp", "file", "gopher", "dict", "ldap", "tftp", "smb",
                                           "ws",  "",     "httpx",  "htt",  "scp",  "data" };
    struct failure err = { 0 };
    struct egress *e = guard_with_ports(NULL, 0, false, true, &err);
    struct egress *both = guard_of("0.0.0.0/0 ::/0 example.com", "");

    cr_expect(passes_url(e, "https", "example.com", 443) && passes_url(both, "HTTP", PUBLIC, 80));
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        cr_expect_not(passes_url(both, schemes[i], "example.com", 80), "%s", schemes[i]);
    cr_assert_not(egress_allows_url(e, "http", "example.com", 80, &err));
    cr_expect_str_eq(err.detail, "http to example.com is refused: the egress guard's "
                                 "egress.schemes does not list http; add it there to permit it");
    egress_unref(e);
    egress_unref(both);
}

Test(egress_names, ports_out_of_range_are_no_rule)
{
    static int bad[] = { 0, -1, 65536 };

    for (size_t i = 0; i < 3; i++) {
        struct failure err = { 0 };

        cr_expect_null(guard_with_ports(&bad[i], 1, true, true, &err));
        cr_expect_not_null(strstr(err.detail, "egress.ports: "), "%s", err.detail);
    }
}

/* -- proxies --------------------------------------------------------------- */

Test(egress_names, of_proxies_have_ports_of_their_own)
{
    int targets[] = { 443 }, proxies[] = { 1, 3128, 65535 };
    struct egress_config rules;
    struct failure err = { 0 };
    struct egress *e, *any = guard_of("", "");

    egress_config_init(&rules);
    rules.ports = (struct egress_ports){ targets, 1 };
    rules.proxy_ports = (struct egress_ports){ proxies, 3 };
    e = egress_new(&rules, &err);
    cr_assert_not_null(e, "%s", err.detail);
    cr_expect(egress_allows_proxy(e, "p", 1, &err) && egress_allows_proxy(e, "p", 65535, &err));
    cr_expect_not(passes_url(e, "https", "example.com", 3128));
    cr_assert_not(egress_allows_proxy(e, "p.example", 443, &err));
    cr_expect_str_eq(err.detail, "port 443 of p.example is refused: the egress guard's "
                                 "egress.proxy_ports does not list it; add it there to permit it");
    cr_expect(egress_allows_proxy(any, "p", 443, &err));
    egress_unref(e);
    egress_unref(any);
}

static bool
passes_proxy(const struct egress *e, const char *host, bool resolves)
{
    struct failure err = { 0 };
    bool passes = egress_allows_behind_proxy(e, host, resolves, &err);

    cr_assert_eq(err.error, passes ? ERROR_NONE : ERROR_BLOCKED, "%s", host);
    return passes;
}

Test(egress_names, behind_a_proxy_pass_only_where_it_may_resolve_them)
{
    struct egress *e = guard_of("example.com 127.0.0.2", "");
    struct failure err = { 0 };

    cr_expect(passes_proxy(e, "example.com", true) && passes_proxy(e, "a.localhost.b", true));
    cr_expect_not(passes_proxy(e, "example.com", false));
    cr_expect(passes_proxy(e, "8.8.8.8", false) && passes_proxy(e, "127.1", false),
              "egress_allows_url() judges addresses");
    cr_assert_not(egress_allows_behind_proxy(e, "b.example", false, &err));
    cr_expect_not_null(strstr(err.detail, "b.example"), "%s", err.detail);
    cr_expect_not_null(strstr(err.detail, "proxy_resolves"), "%s", err.detail);
    egress_unref(e);
}

Test(egress_names, localhost_behind_a_proxy_is_loopback)
{
    static const char *const local_names[] = { "localhost", "LocalHost.", "a.localhost",
                                               "a.b.localhost." };
    struct egress *strict = guard_of("", ""), *open = guard_of("127.0.0.0/8", "");

    for (size_t i = 0; i < sizeof local_names / sizeof local_names[0]; i++) {
        cr_expect_not(passes_proxy(strict, local_names[i], true), "%s", local_names[i]);
        cr_expect(passes_proxy(open, local_names[i], false), "%s", local_names[i]);
    }
    cr_expect(passes_proxy(strict, "notlocalhost", true));
    egress_unref(strict);
    egress_unref(open);
}

/* -- redirects_public_only --------------------------------------------------- */

Test(egress_names, and_addresses_of_redirects_can_be_asked_to_be_public)
{
    static const char *const inside[] = { "127.0.0.1",         "127.1",
                                          "10.0.0.1.",         "::1",
                                          "fe80::1%lo",        "::ffff:10.0.0.1",
                                          "64:ff9b::a9fe:a9fe" };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr other = { .sa_family = AF_UNIX };
    struct failure err = { 0 };

    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        err = (struct failure){ 0 };
        cr_expect_not(egress_allows_public_host(inside[i], &err), "%s", inside[i]);
        cr_expect_not_null(strstr(err.detail, "redirects_public_only"), "%s", err.detail);
    }
    err = (struct failure){ 0 };
    cr_expect(egress_allows_public_host("8.8.8.8", &err) &&
              egress_allows_public_host("a.test", &err));
    cr_expect_not(egress_allows_public_address((struct sockaddr *)&six, &err), "::");
    cr_expect_not(egress_allows_public_address(&other, &err));
    inet_pton(AF_INET6, "2606:4700::1111", &six.sin6_addr);
    err = (struct failure){ 0 };
    cr_expect(egress_allows_public_address((struct sockaddr *)&six, &err), "%s", err.detail);
}
