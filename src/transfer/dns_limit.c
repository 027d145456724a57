/* dns_limit.c - which look-ups may begin, as others go on though nobody waits for them. */

#include "transfer/dns_limit.h"

#include "libcurl/curl_features.h"
#include "transfer/hop.h"
#include "util/clock.h"
#include "util/thread_count.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define COUNT_EVERY_MS 20 /* reading /proc costs some microseconds a thread */

void
dns_limit_init(struct dns_limit *d)
{
    *d = (struct dns_limit){ .off = curl_features_has_cares_resolver() };
    list_init(&d->running);
}

/* The name that the hop connects to: the proxy's, where there is one. */
static const char *
name_of(const struct curlew_fetch *f)
{
    return f->proxy_host != NULL ? f->proxy_host : f->url.host;
}

static uint64_t
domain_of(const struct curlew_fetch *f)
{
    return lookup_shares_key(lookup_shares_domain(name_of(f)));
}

/* libcurl answers for localhost itself (RFC 6761 section 6.3). */
static bool
is_localhost(const char *host)
{
    size_t n = strlen(host), m = strlen("localhost");

    if (n > 0 && host[n - 1] == '.')
        n--;
    return n >= m && strncasecmp(host + n - m, "localhost", m) == 0 &&
           (n == m || host[n - m - 1] == '.');
}

/* libcurl also "resolves" addresses, at once. */
static bool
needs_lookup(const char *host)
{
    struct in6_addr address;

    return strchr(host, ':') == NULL && inet_pton(AF_INET, host, &address) != 1 &&
           !is_localhost(host);
}

/* libcurl tells of the start of a look-up, but not of its end. */
static bool
has_ended(const struct hop *hop)
{
    curl_off_t looked_up = 0;

    curl_easy_getinfo(hop->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
    return looked_up > 0 || hop->requested || !list_empty(&hop->sockets);
}

static int
count_running(const struct dns_limit *d, uint64_t domain)
{
    int n = 0;

    for (const struct link *l = d->running.next; l != &d->running; l = l->next) {
        const struct hop *hop = container_of(l, struct hop, lookup);

        n += hop->lookup_domain == domain && !has_ended(hop);
    }
    return n;
}

static int
refuse(struct curlew_fetch *f, enum lookup_share full)
{
    counter_add(&f->stats->lookups_refused, 1);
    if (full == LOOKUP_DOMAIN_FULL)
        return failure_set(&f->failure, ERROR_OVERLOADED,
                           "look-ups of names in %.200s hang: %d that were given up are still "
                           "under way",
                           lookup_shares_domain(name_of(f)), LOOKUP_SHARES_DOMAIN);
    if (full == LOOKUP_SESSION_FULL)
        return failure_set(&f->failure, ERROR_OVERLOADED,
                           "look-ups of session \"%s\" hang: %d that were given up are still "
                           "under way",
                           f->session->state->name, LOOKUP_SHARES_SESSION);
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "look-ups hang: %d that were given up are still under way",
                       LOOKUP_SHARES_ALL);
}

/*
 * libcurl's threads have the name of the thread that made them, which is this one.  A fetch that
 * gave up a name that resolves quickly leaves none behind.
 */
static void
forget_ended(struct dns_limit *d, int64_t now_us)
{
    int threads;

    if (now_us < d->counted_us + (int64_t)COUNT_EVERY_MS * US_PER_MS)
        return;
    d->counted_us = now_us;
    if ((threads = thread_count_like_this()) > 0)
        lookup_shares_trim(&d->shares, threads - 1);
}

static enum lookup_share
check_shares(struct dns_limit *d, uint64_t session, uint64_t domain, int64_t now_us)
{
    bool given_up = lookup_shares_of_domain(&d->shares, domain, now_us) > 0;

    return lookup_shares_check(&d->shares, session, domain, given_up ? count_running(d, domain) : 0,
                               now_us);
}

static int
on_resolver_start(void *state, void *reserved, void *hop)
{
    struct curlew_fetch *f = ((struct hop *)hop)->fetch;
    struct dns_limit *d = f->hop->dns_limit;
    uint64_t domain = domain_of(f);
    int64_t now = clock_us();
    enum lookup_share share;

    (void)state, (void)reserved;
    f->hop->begun = true;
    if (!needs_lookup(name_of(f)))
        return 0;
    list_remove(&f->hop->lookup); /* an earlier one of this hop, for a connection that broke */
    share = check_shares(d, f->session->state->id, domain, now);
    if (share != LOOKUP_ALLOWED) {
        forget_ended(d, now);
        share = check_shares(d, f->session->state->id, domain, now);
    }
    if (share != LOOKUP_ALLOWED)
        return refuse(f, share);
    f->hop->lookup_domain = domain;
    list_append(&d->running, &f->hop->lookup);
    return 0;
}

void
dns_limit_attach(struct curlew_fetch *f, struct dns_limit *d)
{
    if (d->off)
        return;
    f->hop->dns_limit = d;
    hop_set(f->hop, CURLOPT_RESOLVER_START_FUNCTION, on_resolver_start);
    hop_set(f->hop, CURLOPT_RESOLVER_START_DATA, f->hop);
}

void
dns_limit_hop_done(struct curlew_fetch *f, struct dns_limit *d, CURLcode result)
{
    int64_t now = clock_us();
    struct abandoned_lookup one = {
        .until_us = now + (int64_t)DNS_LIMIT_ABANDONED_SECONDS * US_PER_SECOND,
        .session = f->session->state->id,
        .domain = f->hop->lookup_domain,
    };

    if (list_empty(&f->hop->lookup))
        return;
    list_remove(&f->hop->lookup);
    if ((result == CURLE_OPERATION_TIMEDOUT || result == CURLE_ABORTED_BY_CALLBACK) &&
        !has_ended(f->hop))
        lookup_shares_record(&d->shares, &one, now);
}
