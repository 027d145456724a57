/*
 * egress_opinion.h - a second opinion on what the egress guard lets through.
 *
 * It shares no code with the guard: it works on bytes and on the registries'
 * text, bit by bit, the slow and obvious way.  IPv4 stands mapped.
 */
#ifndef FUZZ_EGRESS_OPINION_H
#define FUZZ_EGRESS_OPINION_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 6

struct range {
    uint8_t first[16];
    int bits;
};

static const char *const special[] = {
    "0.0.0.0/8",       "10.0.0.0/8",        "100.64.0.0/10",  "127.0.0.0/8",    "168.63.129.16/32",
    "169.254.0.0/16",  "172.16.0.0/12",     "192.0.0.0/24",   "192.0.2.0/24",   "192.31.196.0/24",
    "192.52.193.0/24", "192.80.8.124/32",   "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15",   "198.51.100.0/24",   "203.0.113.0/24", "224.0.0.0/3",    "2001::/23",
    "2001:db8::/32",   "2620:4f:8000::/48", "3ffe::/16",      "3fff::/20",      NULL,
};

static bool
is_four(const uint8_t a[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return memcmp(a, mapped, 12) == 0;
}

static bool
in_range(const struct range *r, const uint8_t a[16])
{
    if (is_four(a) && r->bits < 96)
        return false;
    for (int i = 0; i < r->bits; i++)
        if (((r->first[i / 8] ^ a[i / 8]) >> (7 - i % 8)) & 1)
            return false;
    return true;
}

static struct range
range_of(const char *cidr)
{
    struct range r = { { 0 }, atoi(strchr(cidr, '/') + 1) };
    char text[64];

    snprintf(text, sizeof text, "%.*s", (int)strcspn(cidr, "/"), cidr);
    if (strchr(text, ':') != NULL) {
        inet_pton(AF_INET6, text, r.first);
        return r;
    }
    r.first[10] = r.first[11] = 0xff;
    inet_pton(AF_INET, text, r.first + 12);
    r.bits += 96;
    return r;
}

static bool
in_text(const char *cidr, const uint8_t a[16])
{
    struct range r = range_of(cidr);

    return in_range(&r, a);
}

static bool
is_public(const uint8_t a[16])
{
    for (const char *const *s = special; *s != NULL; s++)
        if (in_text(*s, a))
            return false;
    return is_four(a) || in_text("2000::/3", a) || in_text("64:ff9b::/96", a);
}

/* The i-th IPv4 address in a; false: no such form fits. */
static bool
nth_carried(const uint8_t a[16], int i, uint8_t to[16])
{
    static const struct {
        const char *cidr;
        int at[4];
        uint8_t flip;
    } forms[] = {
        { "::/96", { 12, 13, 14, 15 }, 0 },         { "::ffff:0:0:0/96", { 12, 13, 14, 15 }, 0 },
        { "64:ff9b::/96", { 12, 13, 14, 15 }, 0 },  { "64:ff9b:1::/48", { 12, 13, 14, 15 }, 0 },
        { "64:ff9b:1::/48", { 6, 7, 9, 10 }, 0 },   { "64:ff9b:1::/48", { 7, 9, 10, 11 }, 0 },
        { "64:ff9b:1::/48", { 9, 10, 11, 12 }, 0 }, { "2002::/16", { 2, 3, 4, 5 }, 0 },
        { "2001::/32", { 4, 5, 6, 7 }, 0 },         { "2001::/32", { 12, 13, 14, 15 }, 0xff },
        { "::/0", { 12, 13, 14, 15 }, 0 } /* ISATAP */
    };
    bool last = i == (int)(sizeof forms / sizeof forms[0]) - 1;

    if (is_four(a) || !in_text(forms[i].cidr, a))
        return false;
    if (last && ((a[8] & 0xfc) != 0 || a[9] != 0 || a[10] != 0x5e || a[11] != 0xfe))
        return false;
    if (in_text("::/127", a))
        return false;
    memset(to, 0, 16);
    to[10] = to[11] = 0xff;
    for (int k = 0; k < 4; k++)
        to[12 + k] = a[forms[i].at[k]] ^ forms[i].flip;
    return true;
}

#define FORMS 11

struct opinion { /* the rules */
    struct range allow[RULES_MAX], deny[RULES_MAX];
    int allowed, denied;
};

static int
longest_match(const struct range *ranges, int count, const uint8_t a[16])
{
    int bits = -1;

    for (int i = 0; i < count; i++)
        if (in_range(&ranges[i], a) && ranges[i].bits > bits)
            bits = ranges[i].bits;
    return bits;
}

static bool
opinion_allows(const struct opinion *o, const uint8_t a[16])
{
    int named = longest_match(o->allow, o->allowed, a);
    bool local = in_text("64:ff9b:1::/48", a), carried = false, ok;
    uint8_t c[16];

    ok = longest_match(o->deny, o->denied, a) < 0 && (named >= 0 || is_public(a));
    for (int i = 0; i < FORMS; i++) {
        bool judged = nth_carried(a, i, c) && !(local && c[12] == 0);

        carried |= judged;
        if (judged && longest_match(o->deny, o->denied, c) >= 0)
            ok = false;
        if (judged && local && named >= 96 && i != 3)
            continue; /* the prefix is known to be of 96 bits */
        if (judged && !is_public(c) && (named < 0 || longest_match(o->allow, o->allowed, c) < 0))
            ok = false;
    }
    if (local && (!carried || (named >= 96 && a[12] == 0))) { /* in 0.0.0.0/8 after all */
        nth_carried(a, 3, c);
        ok &= longest_match(o->allow, o->allowed, c) >= 0;
        if (!carried)
            ok &= longest_match(o->deny, o->denied, c) < 0;
    }
    return ok;
}

#endif
