/*
 * proxies.h - a session's proxies, taken in turn; one that fails sits on the bench for a while.
 *
 * Safe to use from every thread.
 */
#ifndef SESSION_PROXIES_H
#define SESSION_PROXIES_H

#include <stddef.h>
#include <stdint.h>

#define PROXIES_BENCH_SECONDS 30

struct proxies;

struct proxies *
proxies_new(char **urls, size_t count); /* the URLs stay the caller's; NULL: no memory */
void proxies_free(struct proxies *p);

/* The next one that is not on the bench, or, where all are, the one that leaves it first.  NULL: none at all. */
const char *proxies_pick(struct proxies *p, int64_t now_us);

void proxies_bench(struct proxies *p, const char *url, int64_t now_us); /* it has failed */

#endif
