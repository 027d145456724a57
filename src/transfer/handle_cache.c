/* handle_cache.c - libcurl's easy handles of one engine thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

#include "transfer/hop.h"

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

/*
 * A handle keeps the Host that it was given as the host of cookies, also after curl_easy_reset().
 * So it serves no other fetch, and no other origin.
 */
static bool
is_bound_to_host(const struct curlew_fetch *f)
{
    return f->hop->names_host && !f->same_origin && f->redirects > 0;
}

static int
renew(struct hop *hop)
{
    CURL *fresh = curl_easy_init();

    if (fresh == NULL)
        return -1;
    cookie_jar_move(hop->easy, fresh);
    curl_easy_cleanup(hop->easy);
    hop->easy = fresh;
    hop->names_host = false;
    return 0;
}

int
handle_cache_acquire(struct handle_cache *cache, struct curlew_fetch *f)
{
    if (f->hop != NULL)
        return is_bound_to_host(f) && renew(f->hop) != 0 ? failure_no_memory(&f->failure) : 0;
    f->hop = cache->count > 0 ? cache->spare[--cache->count] : hop_new();
    if (f->hop == NULL)
        return failure_no_memory(&f->failure);
    f->hop->names_host = request_has_header(&f->request, "host");
    return 0;
}

void
handle_cache_release(struct handle_cache *cache, struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (hop == NULL)
        return;
    cookie_jar_import(f->session->settings.shared_jar ? f->session->state->jar : NULL, hop->easy,
                      hop->exported_cookies, &hop->cookie_names, &f->response.cookies);
    cookie_jar_export_free(hop->exported_cookies);
    hop->exported_cookies = NULL;
    headers_destroy(&hop->cookie_names);
    curl_easy_reset(hop->easy); /* it must not point into the fetch any more */
    if (!hop->names_host && cache->count < HANDLE_CACHE_MAX)
        cache->spare[cache->count++] = hop;
    else
        hop_free(hop);
    f->hop = NULL;
}
