/*
 * lookup_shares.h - how many look-ups that were given up may still be under way, and whose.
 *
 * Three bounds, each larger than the one before: for a domain, for a session, for all.  So a dead
 * domain is refused before it harms its session, and a session before it harms the others.
 * Look-ups that were under way at once may be given up beyond a bound: these count against nobody.
 */
#ifndef LIMITS_LOOKUP_SHARES_H
#define LIMITS_LOOKUP_SHARES_H

#include <stdint.h>

#define LOOKUP_SHARES_DOMAIN  16
#define LOOKUP_SHARES_SESSION 32
#define LOOKUP_SHARES_ALL     64

struct lookup_shares {
    struct abandoned_lookup {
        int64_t until_us; /* it counts until then */
        uint64_t session, domain;
    } abandoned[LOOKUP_SHARES_ALL]; /* oldest first */
    int count;
};

enum lookup_share { LOOKUP_ALLOWED, LOOKUP_DOMAIN_FULL, LOOKUP_SESSION_FULL, LOOKUP_ALL_FULL };

/* The last two labels of a name, as text in `name`; a dot at its end is no label. */
const char *lookup_shares_domain(const char *name);

/* A key for a domain, in any case, with a dot at its end or without. */
uint64_t lookup_shares_key(const char *domain);

/* A look-up was given up, and may go on until then. */
void lookup_shares_record(struct lookup_shares *s, const struct abandoned_lookup *one,
                          int64_t now_us);

/* No more than `most` of them can be under way still: the oldest have ended. */
void lookup_shares_trim(struct lookup_shares *s, int most);

/* So many of the domain's were given up, and count still. */
int lookup_shares_of_domain(struct lookup_shares *s, uint64_t domain, int64_t now_us);

/*
 * May a look-up begin, while `running` others of its domain have not ended?  They count once one of
 * the domain's was given up: a cold start at a good domain is not refused.
 */
enum lookup_share lookup_shares_check(struct lookup_shares *s, uint64_t session, uint64_t domain,
                                      int running, int64_t now_us);

#endif
