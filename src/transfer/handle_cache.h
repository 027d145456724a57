/*
 * handle_cache.h - libcurl's easy handles of one engine thread, kept for the next fetches.
 */
#ifndef TRANSFER_HANDLE_CACHE_H
#define TRANSFER_HANDLE_CACHE_H

#include "fetch/fetch.h"

#define HANDLE_CACHE_MAX 128

struct handle_cache {
    struct hop *spare[HANDLE_CACHE_MAX];
    int count;
};

void handle_cache_destroy(struct handle_cache *cache);

/* f->hop, if it has none yet.  -1 with f->failure: no memory. */
int handle_cache_acquire(struct handle_cache *cache, struct curlew_fetch *f);

/* f needs it no more; its cookies go into the jar and into f's response. */
void handle_cache_release(struct handle_cache *cache, struct curlew_fetch *f);

#endif
