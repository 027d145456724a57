/*
 * proxy_pool.c - the proxies of a session, used round robin; one that fails is skipped for a while.
 */

#include "session/proxy_pool.h"

#include "util/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct proxy {
    const char *url;
    _Atomic int64_t cooldown_end_us;
};

struct proxy_pool {
    atomic_uint turn;
    size_t count;
    struct proxy list[];
};

struct proxy_pool *
proxy_pool_new(char **urls, size_t count)
{
    struct proxy_pool *p = calloc(1, sizeof *p + count * sizeof p->list[0]);

    if (p == NULL)
        return NULL;
    p->count = count;
    for (size_t i = 0; i < count; i++)
        p->list[i].url = urls[i];
    return p;
}

void
proxy_pool_free(struct proxy_pool *p)
{
    free(p);
}

const char *
proxy_pool_next(struct proxy_pool *p, int64_t now_us)
{
    struct proxy *soonest = NULL;
    unsigned turn;

    if (p->count == 0)
        return NULL;
    turn = atomic_fetch_add(&p->turn, 1);
    for (size_t i = 0; i < p->count; i++) {
        struct proxy *one = &p->list[(turn + i) % p->count];

        if (one->cooldown_end_us <= now_us)
            return one->url;
        if (soonest == NULL || one->cooldown_end_us < soonest->cooldown_end_us)
            soonest = one;
    }
    return soonest->url;
}

void
proxy_pool_cool_down(struct proxy_pool *p, const char *url, int64_t now_us)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].url, url) == 0)
            p->list[i].cooldown_end_us =
                now_us + (int64_t)PROXY_POOL_COOLDOWN_SECONDS * US_PER_SECOND;
}
