/*
 * cross_site.h - requests that pages of other sites have a browser make (CSRF).
 *
 * A browser says so itself: by Sec-Fetch-Site (Fetch Metadata), or, if it is old, by Origin.
 * Programs send neither.  A request is refused if Sec-Fetch-Site is there and neither same-origin
 * nor none, or if it is not there and Origin is not that of the Host asked; unless Origin is one of
 * the setting auth.origins.  Thread-safe.
 */
#ifndef ROUTES_CROSS_SITE_H
#define ROUTES_CROSS_SITE_H

#include "fastcgi/exchange.h"

#include <pthread.h>

struct cross_site {
    pthread_rwlock_t lock;
    char **origins; /* whose pages may ask; owned */
    size_t count;
};

/* No other site's pages may ask. */
void cross_site_init(struct cross_site *c);

void cross_site_destroy(struct cross_site *c);

/* From now on these, which are copied.  -1 with `err`: no memory, nothing has changed. */
int cross_site_allow(struct cross_site *c, char *const *origins, size_t count, struct failure *err);

/* The origins of `now` in the place of c's; `now` has none then. */
void cross_site_take(struct cross_site *c, struct cross_site *now);

/* 0; -1 with `err`: forbidden. */
int cross_site_check(struct cross_site *c, const struct exchange *x, struct failure *err);

#endif
