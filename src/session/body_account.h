/*
 * body_account.h - how many bytes of response bodies the fetches of one engine hold together.
 *
 * Another one counts those of its sessions, which fetches keep, too.  Counted by reference and safe
 * to use from every thread.  A fetch keeps its body until it is freed, which may be after the
 * engine is: so the account belongs to neither.
 */
#ifndef SESSION_BODY_ACCOUNT_H
#define SESSION_BODY_ACCOUNT_H

#include "util/metrics.h"

struct body_account {
    atomic_int refs;
    counter bytes;
};

/* NULL: no memory. */
struct body_account *body_account_new(void);
struct body_account *body_account_ref(struct body_account *a);

/* The last reference frees; NULL is allowed. */
void body_account_unref(struct body_account *a);

/* Add n bytes, unless the total would exceed `max`: then nothing is added, and it returns false. */
bool body_account_try_add(struct body_account *a, int64_t n, int64_t max);

/* Add n bytes of what is bounded otherwise, also where the total exceeds the limit. */
void body_account_add(struct body_account *a, int64_t n);

/* Give n bytes back. */
void body_account_subtract(struct body_account *a, int64_t n);

#endif
