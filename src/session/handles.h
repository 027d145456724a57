/*
 * handles.h - libcurl's easy handles of one session thread, kept for the next fetches.
 */
#ifndef SESSION_HANDLES_H
#define SESSION_HANDLES_H

#include "fetch/fetch.h"

#define HANDLES_SPARE_MAX 128

struct handles {
    CURL *spare[HANDLES_SPARE_MAX];
    int count;
};

void handles_destroy(struct handles *h);

/* f->easy for the next hop: the one it has, where that will do.  -1 with f->failure: no memory. */
int handles_lend(struct handles *h, struct curlew_fetch *f);

/* f needs it no more; its cookies go into the jar and into f's response. */
void handles_return(struct handles *h, struct curlew_fetch *f);

#endif
