/* lookup_shares.c - how many look-ups that were given up may still be under way, and whose. */

#include "limits/lookup_shares.h"

#include "util/hash.h"

#include <stdbool.h>
#include <string.h>

const char *
lookup_shares_domain(const char *name)
{
    size_t at = strlen(name);
    int dots = 0;

    if (at > 0 && name[at - 1] == '.')
        at--;
    for (; at > 0; at--)
        if (name[at - 1] == '.' && ++dots == 2)
            break;
    return name + at;
}

uint64_t
lookup_shares_key(const char *domain)
{
    size_t n = strlen(domain);
    char text[256];

    if (n > 0 && domain[n - 1] == '.')
        n--;
    n = n < sizeof text ? n : sizeof text - 1;
    for (size_t i = 0; i < n; i++)
        text[i] = domain[i] >= 'A' && domain[i] <= 'Z' ? (char)(domain[i] | 0x20) : domain[i];
    text[n] = '\0';
    return hash_text(HASH_START, text);
}

static void
remove_at(struct lookup_shares *s, int i)
{
    s->count--;
    memmove(&s->abandoned[i], &s->abandoned[i + 1],
            (size_t)(s->count - i) * sizeof s->abandoned[0]);
}

static void
forget_old(struct lookup_shares *s, int64_t now_us)
{
    for (int i = s->count - 1; i >= 0; i--)
        if (s->abandoned[i].until_us <= now_us)
            remove_at(s, i);
}

static bool
is_of(const struct abandoned_lookup *a, const uint64_t *session, const uint64_t *domain)
{
    return (session == NULL || a->session == *session) && (domain == NULL || a->domain == *domain);
}

/* NULL: any. */
static int
count_of(const struct lookup_shares *s, const uint64_t *session, const uint64_t *domain)
{
    int n = 0;

    for (int i = 0; i < s->count; i++)
        n += is_of(&s->abandoned[i], session, domain);
    return n;
}

/* Where there are that many, the oldest of them goes: the newest ends last. */
static void
make_room(struct lookup_shares *s, int most, const uint64_t *session, const uint64_t *domain)
{
    int i = 0;

    if (count_of(s, session, domain) < most)
        return;
    while (!is_of(&s->abandoned[i], session, domain))
        i++;
    remove_at(s, i);
}

void
lookup_shares_record(struct lookup_shares *s, const struct abandoned_lookup *one, int64_t now_us)
{
    forget_old(s, now_us);
    make_room(s, LOOKUP_SHARES_DOMAIN, NULL, &one->domain);
    make_room(s, LOOKUP_SHARES_SESSION, &one->session, NULL);
    make_room(s, LOOKUP_SHARES_ALL, NULL, NULL);
    s->abandoned[s->count++] = *one;
}

void
lookup_shares_trim(struct lookup_shares *s, int most)
{
    while (s->count > most)
        remove_at(s, 0);
}

int
lookup_shares_of_domain(struct lookup_shares *s, uint64_t domain, int64_t now_us)
{
    forget_old(s, now_us);
    return count_of(s, NULL, &domain);
}

enum lookup_share
lookup_shares_check(struct lookup_shares *s, uint64_t session, uint64_t domain, int running,
                    int64_t now_us)
{
    int of_domain = lookup_shares_of_domain(s, domain, now_us);

    if (of_domain > 0 && of_domain + running >= LOOKUP_SHARES_DOMAIN)
        return LOOKUP_DOMAIN_FULL;
    if (count_of(s, &session, NULL) >= LOOKUP_SHARES_SESSION)
        return LOOKUP_SESSION_FULL;
    return s->count >= LOOKUP_SHARES_ALL ? LOOKUP_ALL_FULL : LOOKUP_ALLOWED;
}
