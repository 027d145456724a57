/*
 * dns_limit.h - abandoned look-ups: they go on although nobody waits for them any more.
 *
 * libcurl looks each name up in a thread.  The thread of a fetch that was cancelled, or has timed
 * out, runs until the name server has answered or the resolver gives up.  limits.in_flight doesn't
 * bound these threads; this module does.  Used on one engine thread.
 */
#ifndef TRANSFER_DNS_LIMIT_H
#define TRANSFER_DNS_LIMIT_H

#include "fetch/fetch.h"

#define DNS_LIMIT_ABANDONED_MAX     64 /* at once, as far as is known */
#define DNS_LIMIT_ABANDONED_SECONDS 10 /* resolv.conf(5): two tries of 5 s */

struct dns_limit {
    int64_t until_us[DNS_LIMIT_ABANDONED_MAX]; /* a ring, oldest first */
    int first, count;
};

/* f is about to leave libcurl: count its look-up, if it is still under way. */
void dns_limit_record_abandoned(struct dns_limit *d, struct curlew_fetch *f, int64_t now_us);

/* May f begin a look-up, if its host is a name?  -1 with f->failure: overloaded. */
int dns_limit_check(struct dns_limit *d, struct curlew_fetch *f, int64_t now_us);

#endif
