/*
 * test_egress_bypass.c - known ways round such guards, each as a URL, through url.c to the guard.
 *
 * What is no address in the end is taken to resolve to the worst: a name is
 * whatever its owner's DNS server says, once the URL has been judged.
 */

#include "http/url.h"
#include "support/egress_fixture.h"

#include <locale.h>
#include <netdb.h>

static const char *const urls[] = {
    /* one address, many spellings */
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.000.000.1/",
    "http://127.127.127.127/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://127.0x1/",
    "http://0177.0.0.1/",
    "http://00000177.1/",
    "http://017700000001/",
    "http://0/",
    "http://0x0/",
    "http://00/",
    "http://0.0.0.0/",
    "http://0300.0250.0.1/",
    "http://0251.0376.0251.0376/",
    "http://2852039166/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://169.254.43518/",
    "http://127.0.0.1./",
    "http://127.1./",
    "http://169.254.169.254./",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2e/",
    "http://4294967297/",
    "http://0x17f000001/",
    "http://425.510.425.510/",

    /* letters that normalise to digits and dots */
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://１２７.0.0.1/",
    "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/",
    "http://ｌocalhost/",
    "http://localh\u00adost/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",

    /* IPv6 */
    "http://[::]/",
    "http://[::1]/",
    "http://[0000::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[64:ff9b:1:7f00:0:100:808:808]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:808:808::80ff:fffe]/",
    "http://[2a00::5efe:10.0.0.1]/",
    "http://[2a00::200:5efe:a9fe:a9fe]/",
    "http://[fe80::5efe:7f00:1]/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:127.0.0.1%25lo]/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[127.0.0.1]/",
    "http://[v1.::1]/",
    "http://[::ffff:168.63.129.16]/",

    /* two hosts in one URL */
    "http://8.8.8.8@127.0.0.1/",
    "http://8.8.8.8:80@127.0.0.1/",
    "http://8.8.8.8\\@127.0.0.1/",
    "http://8.8.8.8%23@127.0.0.1/",
    "http://127.0.0.1#@8.8.8.8/",
    "http://127.0.0.1?@8.8.8.8/",
    "http:///127.0.0.1/",
    "http:////127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http://127.0.0.1,8.8.8.8/",
    "http://127.0.0.1%00.example.com/",
    "http://127.0.0.1%0d%0a.example.com/",
    "http://127.0.0.1%09/",
    "http://127.0.0.1%20/",
    "http://a@b@127.0.0.1/",
    "http://127.0.0.1:80:80/",
    "http://127.0.0.1:+80/",
    "http://1.1.1.1 &@127.0.0.1# @1.1.1.1/",

    /* names whose answer is theirs to choose */
    "http://localhost/",
    "http://LOCALHOST./",
    "http://localhost.localdomain/",
    "http://127.0.0.1.nip.io/",
    "http://7f000001.c0a80001.rbndr.us/",
    "http://example.com/",
    "http://169.254.169.254.example.com/",
    "http://metadata.google.internal/",
    "http://127.0.0.1%2eexample.com/",
    "http://1.2.3.4.5/",
    "http://xn--127-.0.0.1/",

    /* other schemes */
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/",
    "ftp://8.8.8.8/",
    "jar:http://127.0.0.1!/",
    "url:http://127.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "8.8.8.8",
};

/* As the engine does: the URL first, then the address that its host leads to. */
static bool
gets_through(const struct egress *e, const char *text)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *found;
    struct failure err = { 0 };
    struct url u;
    bool ok;

    if (url_parse(&u, text, &err) != 0)
        return false;
    ok = egress_allows_url(e, u.scheme, u.host, u.port, &err);
    if (ok && getaddrinfo(u.host, NULL, &hints, &found) == 0) {
        ok = egress_allows_address(e, u.host, found->ai_addr, &err);
        freeaddrinfo(found);
    } else if (ok) {
        ok = passes_as(e, u.host, "127.0.0.1", &err) || passes_as(e, u.host, "::1", &err) ||
             passes_as(e, u.host, "64:ff9b::a9fe:a9fe", &err);
    }
    url_destroy(&u);
    return ok;
}

static void
try_all(const char *locale)
{
    struct egress *e = guard_of("*.corp.test 203.0.113.7", "");

    cr_assert_not_null(setlocale(LC_ALL, locale), "%s", locale);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        cr_expect_not(gets_through(e, urls[i]), "%s in %s", urls[i], locale);
    cr_expect(gets_through(e, "http://8.8.8.8/"));
    cr_expect(gets_through(e, "https://8.8.8.8:8443/"));
    cr_expect(gets_through(e, "http://127.0.0.1@8.8.8.8/"), "the host is 8.8.8.8");
    cr_expect_not(gets_through(e, "http://127.0.0.1\\@8.8.8.8/"),
                  "browsers and libcurl see different hosts");
    cr_expect(gets_through(e, "http://127.0.0.1;@8.8.8.8/"), "and here");
    cr_expect(gets_through(e, "http://[2606:4700:4700::1111]/"));
    cr_expect(gets_through(e, "http://[64:ff9b::8.8.8.8]/"));
    cr_expect(gets_through(e, "http://203.0.113.7/"));
    cr_expect(gets_through(e, "http://A.corp.test./"), "an allowed name may lead anywhere");
    egress_unref(e);
}

Test(egress_bypass, none_gets_through_where_names_are_ascii)
{
    try_all("C");
}

Test(egress_bypass, none_gets_through_where_names_are_unicode)
{
    try_all("C.UTF-8");
}

Test(egress_bypass, a_name_that_changes_its_mind_is_judged_anew)
{
    struct egress *e = guard_of("", "");
    struct failure err;

    cr_expect(passes_as(e, "rebind.test", "8.8.8.8", &err));
    cr_expect_not(passes_as(e, "rebind.test", "127.0.0.1", &err));
    cr_expect(passes_as(e, "rebind.test", "8.8.8.8", &err));
    cr_expect_not(passes_as(e, "rebind.test", "::ffff:10.0.0.1", &err));
    egress_unref(e);
}

Test(egress_bypass, a_literal_never_profits_from_an_allowed_name)
{
    static const char *const hosts[] = { "127.0.0.1", "127.0.0.1.", "::1", "::1%.corp.test",
                                         "127.1%.corp.test" };
    struct egress *e = guard_of("*.corp.test corp.test", "");
    struct failure err;

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        cr_expect_not(passes_as(e, hosts[i], "127.0.0.1", &err), "%s", hosts[i]);
    egress_unref(e);
}

Test(egress_bypass, case_is_ascii_whatever_the_locale)
{
    struct egress *e = guard_of("", "INTERNAL.test *.INTRANET");
    struct failure err = { 0 };

    setlocale(LC_ALL, "tr_TR.UTF-8"); /* where it is installed, I is no capital i */
    cr_expect_not(egress_allows_url(e, "http", "internal.test", 80, &err));
    cr_expect_not(egress_allows_url(e, "http", "wiki.intranet", 80, &err));
    egress_unref(e);
}
