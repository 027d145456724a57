/*
 * proxy_pool.h - a session's proxies, taken in turn; one that fails sits on the bench for a while.
 *
 * Safe to use from every thread.
 */
#ifndef SESSION_PROXY_POOL_H
#define SESSION_PROXY_POOL_H

#include <stddef.h>
#include <stdint.h>

#define PROXY_POOL_COOLDOWN_SECONDS 30

struct proxy_pool;

/* The URLs stay the caller's; NULL: no memory. */
struct proxy_pool *proxy_pool_new(char **urls, size_t count);

void proxy_pool_free(struct proxy_pool *p);

/*
 * The next one that is not on the bench, or, where all are, the one that leaves it first.  NULL:
 * none at all.
 */
const char *proxy_pool_next(struct proxy_pool *p, int64_t now_us);

/* It has failed. */
void proxy_pool_cool_down(struct proxy_pool *p, const char *url, int64_t now_us);

#endif
