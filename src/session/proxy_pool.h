/*
 * proxy_pool.h - the proxies of a session, used round robin; one that fails is skipped for a while.
 *
 * Safe to use from every thread.
 */
#ifndef SESSION_PROXY_POOL_H
#define SESSION_PROXY_POOL_H

#include <stddef.h>
#include <stdint.h>

#define PROXY_POOL_COOLDOWN_SECONDS 30

struct proxy_pool;

/* The URLs stay the caller's and must outlive the pool.  NULL: no memory. */
struct proxy_pool *proxy_pool_new(char **urls, size_t count);

void proxy_pool_free(struct proxy_pool *p);

/*
 * The next proxy that is not cooling down; if all are, the one whose cooldown ends first.  NULL:
 * the pool is empty.
 */
const char *proxy_pool_next(struct proxy_pool *p, int64_t now_us);

/* It has failed: skip it for the next PROXY_POOL_COOLDOWN_SECONDS. */
void proxy_pool_cool_down(struct proxy_pool *p, const char *url, int64_t now_us);

#endif
