/*
 * dns_limit.h - name look-ups that go on although nobody waits for them any more.
 *
 * libcurl looks names up in a thread each, and a thread that a cancelled or
 * timed-out fetch leaves behind runs until the name server has answered or
 * the resolver gives up.  limits.in_flight does not bound these; this does.
 * Of one session thread.
 */
#ifndef TRANSFER_DNS_LIMIT_H
#define TRANSFER_DNS_LIMIT_H

#include "fetch/fetch.h"

#define DNS_LIMIT_ABANDONED_MAX     64 /* left behind at once, as far as is known */
#define DNS_LIMIT_ABANDONED_SECONDS 10 /* resolv.conf(5): two tries of 5 s */

struct dns_limit {
    int64_t until_us[DNS_LIMIT_ABANDONED_MAX]; /* a ring, oldest first */
    int first, count;
};

/* f is being taken out of libcurl's hands: was it still looking its name up? */
void dns_limit_record_abandoned(struct dns_limit *l, struct curlew_fetch *f, int64_t now_us);

/* May f, whose host is a name, begin one more?  -1 with f->failure: overloaded. */
int dns_limit_check(struct dns_limit *l, struct curlew_fetch *f, int64_t now_us);

#endif
