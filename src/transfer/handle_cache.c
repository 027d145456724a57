/* handle_cache.c - libcurl's easy handles of one engine thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

#include "libcurl/impersonate_targets.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/tls_tickets.h"

#include <stdlib.h>
#include <string.h>

static void
hop_free(struct hop *hop)
{
    curl_easy_cleanup(hop->easy);
    header_lines_destroy(&hop->header_lines);
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
    easy_options_init(&hop->options, hop->easy);
    header_lines_init(&hop->header_lines);
    list_init(&hop->sockets);
    list_init(&hop->lookup);
    return hop;
}

/* The last one that looks like the browser that f names; else the one unused for longest. */
static int
find_spare(const struct handle_cache *cache, const struct curlew_fetch *f)
{
    const char *name = f->request.impersonate;
    const char *target = name != NULL ? impersonate_targets_find(name) : NULL;
    int i = cache->count - 1;

    while (i > 0 &&
           !easy_options_wears(&cache->spare[i]->options, target, f->request.default_headers))
        i--;
    return i;
}

static struct hop *
take_spare(struct handle_cache *cache, int i)
{
    struct hop *hop = cache->spare[i];

    cache->count--;
    memmove(&cache->spare[i], &cache->spare[i + 1],
            (size_t)(cache->count - i) * sizeof cache->spare[0]);
    return hop;
}

int
handle_cache_acquire(struct handle_cache *cache, struct curlew_fetch *f)
{
    if (f->hop != NULL)
        return 0;
    f->hop = cache->count > 0 ? take_spare(cache, find_spare(cache, f)) : hop_new();
    if (f->hop == NULL)
        return failure_no_memory(&f->failure);
    f->hop->fetch = f;
    return 0;
}

void
handle_cache_release(struct handle_cache *cache, struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (hop == NULL)
        return;
    hop_cookies_finish(f);
    tls_tickets_release(f);
    hop->fetch = NULL;
    if (easy_options_try_keep(&hop->options) && cache->count < HANDLE_CACHE_MAX)
        cache->spare[cache->count++] = hop;
    else
        hop_free(hop);
    f->hop = NULL;
}
