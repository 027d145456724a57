/*
 * dns_limit.h - which look-ups may begin, as others go on though nobody waits for them.
 *
 * Where libcurl looks each name up in a thread, that of a fetch that was cancelled, or has timed
 * out, runs until the name server has answered or the resolver gives up.  limits.in_flight doesn't
 * bound these threads; this module does, with a share for each session and domain.  Before one is
 * refused, the threads are counted: those that have ended meanwhile count no more.  What needs no
 * look-up (a kept connection, a cached name, an address) is never refused.  With c-ares nothing
 * goes on, and nothing is refused.  Used on one engine thread.
 */
#ifndef TRANSFER_DNS_LIMIT_H
#define TRANSFER_DNS_LIMIT_H

#include "fetch/fetch.h"
#include "limits/lookup_shares.h"

#include <curl/curl.h>

#define DNS_LIMIT_ABANDONED_SECONDS 10 /* resolv.conf(5): two tries of 5 s */

struct dns_limit {
    struct lookup_shares shares;
    bool off;            /* no look-up outlives its transfer */
    int64_t counted_us;  /* when the threads were counted last */
    struct link running; /* hops whose look-up has begun, and has not been seen to end */
};

void dns_limit_init(struct dns_limit *d);

/*
 * Set libcurl's resolver-start callback for the hop: a look-up beyond its share ends the transfer,
 * with f->failure overloaded.
 */
void dns_limit_attach(struct curlew_fetch *f, struct dns_limit *d);

/* f's hop is about to leave libcurl with this result: a look-up under way is abandoned now. */
void dns_limit_hop_done(struct curlew_fetch *f, struct dns_limit *d, CURLcode result);

#endif
