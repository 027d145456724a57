/* dns_limit.c - abandoned look-ups: they go on although nobody waits for them any more. */

#include "transfer/dns_limit.h"

#include "transfer/hop.h"
#include "util/clock.h"

#include <arpa/inet.h>

static bool
is_literal(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static const char *
name_of(const struct curlew_fetch *f)
{
    return f->proxy_host != NULL ? f->proxy_host : f->url.host;
}

static void
forget_old(struct dns_limit *d, int64_t now_us)
{
    while (d->count > 0 && d->until_us[d->first] <= now_us) {
        d->first = (d->first + 1) % DNS_LIMIT_ABANDONED_MAX;
        d->count--;
    }
}

void
dns_limit_record_abandoned(struct dns_limit *d, struct curlew_fetch *f, int64_t now_us)
{
    curl_off_t looked_up = 0;

    curl_easy_getinfo(f->hop->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
    if (looked_up > 0 || f->hop->requested || !list_empty(&f->hop->sockets) ||
        is_literal(name_of(f)))
        return;
    forget_old(d, now_us);
    if (d->count == DNS_LIMIT_ABANDONED_MAX)
        return;
    d->until_us[(d->first + d->count) % DNS_LIMIT_ABANDONED_MAX] =
        now_us + (int64_t)DNS_LIMIT_ABANDONED_SECONDS * US_PER_SECOND;
    d->count++;
}

int
dns_limit_check(struct dns_limit *d, struct curlew_fetch *f, int64_t now_us)
{
    forget_old(d, now_us);
    if (d->count < DNS_LIMIT_ABANDONED_MAX || is_literal(name_of(f)))
        return 0;
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "%d look-ups of names that were given up are still under way",
                       DNS_LIMIT_ABANDONED_MAX);
}
