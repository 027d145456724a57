/* handle_cache.c - libcurl's easy handles of one session thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

void
handle_cache_destroy(struct handle_cache *h)
{
    while (h->count > 0)
        curl_easy_cleanup(h->spare[--h->count]);
}

static CURL *
take(struct handle_cache *h)
{
    return h->count > 0 ? h->spare[--h->count] : curl_easy_init();
}

/*
 * A handle keeps the Host it was given as the host of cookies, for ever, resets notwithstanding: so
 * it serves no other fetch, and no other origin.
 */
static int
renew(struct handle_cache *h, struct curlew_fetch *f)
{
    CURL *fresh;

    if (!f->names_host || f->same_origin || f->redirects == 0)
        return 0;
    if ((fresh = take(h)) == NULL)
        return -1;
    cookie_jar_move(f->easy, fresh);
    curl_easy_cleanup(f->easy);
    f->easy = fresh;
    f->names_host = false;
    return 0;
}

int
handle_cache_acquire(struct handle_cache *h, struct curlew_fetch *f)
{
    if ((f->easy == NULL && (f->easy = take(h)) == NULL) || renew(h, f) != 0)
        return failure_no_memory(&f->failure);
    return 0;
}

void
handle_cache_release(struct handle_cache *h, struct curlew_fetch *f)
{
    if (f->easy == NULL)
        return;
    cookie_jar_import(f->session->settings.shared_jar ? f->session->state->jar : NULL, f->easy,
                      f->exported_cookies, &f->cookie_names, &f->response.cookies);
    cookie_jar_export_free(f->exported_cookies);
    f->exported_cookies = NULL;
    curl_easy_reset(f->easy); /* it must not point into the fetch any more */
    if (!f->names_host && h->count < HANDLE_CACHE_MAX)
        h->spare[h->count++] = f->easy;
    else
        curl_easy_cleanup(f->easy);
    f->easy = NULL;
}
