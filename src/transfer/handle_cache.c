/* handle_cache.c - libcurl's easy handles of one engine thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

#include "transfer/hop.h"
#include "transfer/hop_cookies.h"

#include <stdlib.h>

static void
hop_free(struct hop *hop)
{
    curl_easy_cleanup(hop->easy);
    free(hop);
}

void
handle_cache_destroy(struct handle_cache *cache)
{
    while (cache->count > 0)
        hop_free(cache->spare[--cache->count]);
}

static struct hop *
hop_new(void)
{
    struct hop *hop = calloc(1, sizeof *hop);

    if (hop == NULL || (hop->easy = curl_easy_init()) == NULL) {
        free(hop);
        return NULL;
    }
    list_init(&hop->sockets);
    list_init(&hop->lookup);
    return hop;
}

int
handle_cache_acquire(struct handle_cache *cache, struct curlew_fetch *f)
{
    if (f->hop == NULL)
        f->hop = cache->count > 0 ? cache->spare[--cache->count] : hop_new();
    return f->hop != NULL ? 0 : failure_no_memory(&f->failure);
}

void
handle_cache_release(struct handle_cache *cache, struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (hop == NULL)
        return;
    hop_cookies_finish(f);
    curl_easy_reset(hop->easy); /* it must not point into the fetch any more */
    if (cache->count < HANDLE_CACHE_MAX)
        cache->spare[cache->count++] = hop;
    else
        hop_free(hop);
    f->hop = NULL;
}
