/*
 * fuzz_egress.c - random rules and addresses; the egress guard must agree with a second opinion.
 * make fuzz builds and runs it; a failed check aborts and names the rule or the address.
 */

#include "egress/egress.h"
#include "egress_opinion.h"
#include "fuzz_input.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- random things ------------------------------------------------------- */

/* Where the interesting addresses are. */
static const char *const prefixes[] = { "::",
                                        "::ffff:0:0",
                                        "::ffff:0:0:0",
                                        "64:ff9b::",
                                        "64:ff9b:1::",
                                        "64:ff9b:1:fffe::",
                                        "2002::",
                                        "2001::",
                                        "2001:0:808:808::",
                                        "2001:1::",
                                        "2a00::",
                                        "2a00::5efe:0:0",
                                        "2a00::200:5efe:0:0",
                                        "2002:808:808::5efe:0:0",
                                        "fe80::5efe:0:0",
                                        "fd00:ec2::",
                                        "100::",
                                        "3fff::",
                                        "ff02::" };

static const char *const fours[] = { "127.0.0.1",       "10.0.0.1",        "169.254.169.254",
                                     "8.8.8.8",         "0.0.0.0",         "168.63.129.16",
                                     "128.255.255.254", "247.247.247.247", "192.0.0.9" };

static void
four_bytes(struct fuzz_input *in, uint8_t to[4])
{
    uint8_t pick = take_byte(in);

    if (pick < sizeof fours / sizeof fours[0])
        inet_pton(AF_INET, fours[pick], to);
    else
        for (int i = 0; i < 4; i++)
            to[i] = take_byte(in);
}

/* Sixteen bytes: IPv4 mapped, a known prefix with IPv4 somewhere in it, or anything. */
static void
any_address(struct fuzz_input *in, uint8_t to[16])
{
    uint8_t pick = take_byte(in), place = take_byte(in) % 13, four[4];

    for (int i = 0; i < 16; i++)
        to[i] = pick >= 250 ? take_byte(in) : 0;
    if (pick >= 250)
        return;
    inet_pton(AF_INET6, prefixes[pick % (sizeof prefixes / sizeof prefixes[0])], to);
    four_bytes(in, four);
    for (int i = 0; i < 4; i++)
        to[place + i] ^= four[i];
}

/* -- the guard ----------------------------------------------------------- */

static bool
guard_allows(const struct egress *e, const char *host, const uint8_t a[16])
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct failure err = { 0 }, why4 = { 0 };
    bool ok;

    memcpy(&six.sin6_addr, a, 16);
    memcpy(&four.sin_addr, a + 12, 4);
    ok = egress_allows_address(e, host, (struct sockaddr *)&six, &err);
    check_that((err.error == ERROR_NONE) == ok && (err.detail[0] == '\0') == ok, "why", err.detail);
    check_that(ok || strstr(err.detail, "egress.") != NULL, "the option is named", err.detail);
    if (is_four(a))
        check_that(egress_allows_address(e, host, (struct sockaddr *)&four, &why4) == ok &&
                       strcmp(err.detail, why4.detail) == 0,
                   "mapped is IPv4", err.detail);
    return ok;
}

static void
add_rule(struct fuzz_input *in, struct egress_config *rules, struct opinion *o)
{
    bool allow = take_byte(in) & 1;
    struct range r = { { 0 }, take_byte(in) % 129 }, *to = allow ? o->allow : o->deny;
    char text[INET6_ADDRSTRLEN], cidr[INET6_ADDRSTRLEN + 5];

    any_address(in, r.first);
    for (int i = r.bits; i < 128; i++)
        r.first[i / 8] &= (uint8_t) ~(1 << (7 - i % 8));
    inet_ntop(AF_INET6, r.first, text, sizeof text);
    snprintf(cidr, sizeof cidr, "%s/%d", text, r.bits);
    if (is_four(r.first) && r.bits >= 96 && take_byte(in) & 1) { /* the same, written as IPv4 */
        inet_ntop(AF_INET, r.first + 12, text, sizeof text);
        snprintf(cidr, sizeof cidr, "%s/%d", text, r.bits - 96);
    }
    to[allow ? o->allowed++ : o->denied++] = r;
    if (allow)
        egress_config_add(&rules->allow, &rules->allow_count, cidr);
    else
        egress_config_add(&rules->deny, &rules->deny_count, cidr);
}

static void
judge_addresses(struct fuzz_input *in, const struct egress *e, const struct opinion *o)
{
    while (in->left > 0) {
        char text[INET6_ADDRSTRLEN], zoned[INET6_ADDRSTRLEN + 5];
        struct failure err = { 0 };
        uint8_t a[16];
        bool ok;

        any_address(in, a);
        inet_ntop(AF_INET6, a, text, sizeof text);
        snprintf(zoned, sizeof zoned, "%s%%eth0", text);
        ok = guard_allows(e, NULL, a);
        check_that(ok == opinion_allows(o, a), ok ? "allowed" : "refused", text);
        check_that(guard_allows(e, text, a) == ok, "a literal is no name", text);
        check_that(egress_allows_url(e, "http", text, 80, &err) == ok, "the URL's address", text);
        err = (struct failure){ 0 };
        check_that(egress_allows_url(e, "https", zoned, 80, &err) == ok, "with a zone", text);
    }
}

/*
 * Any text as a rule and as a host: no crash, a reason for every refusal, case and dot no
 * matter.
 */
static void
judge_texts(struct fuzz_input *in, struct egress_config *rules)
{
    static const uint8_t private[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1 };
    char rule[40] = "", host[40] = "", shouted[42];
    struct failure err = { 0 };
    struct egress *e;
    size_t n = take_byte(in) % sizeof rule, m = take_byte(in) % sizeof host;

    for (size_t i = 0; i + 1 < n; i++)
        rule[i] = (char)take_byte(in);
    for (size_t i = 0; i + 1 < m; i++)
        host[i] = (char)take_byte(in);
    egress_config_add(&rules->allow, &rules->allow_count, rule);
    if ((e = egress_new(rules, &err)) == NULL) {
        check_that(err.error == ERROR_BAD_REQUEST, "a bad rule", err.detail);
        check_that(strncmp(err.detail, "egress.allow: ", 14) == 0, "a bad rule", err.detail);
        return;
    }
    check_that(strcmp(rule, "*") != 0, "every name", rule);
    snprintf(shouted, sizeof shouted, "%s.", host);
    for (char *c = shouted; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? toupper(*c) : *c);
    n = strlen(host);
    if (n > 0 && host[n - 1] != '.')
        check_that(guard_allows(e, host, private) == guard_allows(e, shouted, private), "case, dot",
                   host);
    egress_unref(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct opinion o = { .allowed = 0 };
    struct egress_config rules;
    struct failure err = { 0 };
    struct egress *e;
    int count = take_byte(&in) % (RULES_MAX + 1);

    egress_config_init(&rules);
    for (int i = 0; i < count; i++)
        add_rule(&in, &rules, &o);
    e = egress_new(&rules, &err);
    check_that(e != NULL, "a good rule", err.detail);
    if (take_byte(&in) & 1)
        judge_texts(&in, &rules);
    judge_addresses(&in, e, &o);
    egress_unref(e);
    egress_config_destroy(&rules);
    return 0;
}
