/* handle_cache.c - libcurl's easy handles of one engine thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

#include "libcurl/curl_memory.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/tls_tickets.h"

#include <stdlib.h>

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
    hop->is_reset = true;
    header_lines_init(&hop->header_lines);
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

/* It must not point into the fetch any more.  false: it has lacked memory for its defaults. */
static bool
try_reset(struct hop *hop)
{
    uint64_t failures = curl_memory_failures();

    curl_easy_reset(hop->easy);
    hop->is_reset = true;
    return curl_memory_failures() == failures;
}

void
handle_cache_release(struct handle_cache *cache, struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (hop == NULL)
        return;
    hop_cookies_finish(f);
    tls_tickets_release(f);
    if (try_reset(hop) && cache->count < HANDLE_CACHE_MAX)
        cache->spare[cache->count++] = hop;
    else
        hop_free(hop);
    f->hop = NULL;
}
