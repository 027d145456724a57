/*
 * transfer_progress.h - what libcurl tells of a transfer under way: it stops floods.
 */
#ifndef TRANSFER_TRANSFER_PROGRESS_H
#define TRANSFER_TRANSFER_PROGRESS_H

#include "fetch/fetch.h"

#define TRANSFER_PROGRESS_CONNECT_MAX 32768 /* bytes of a proxy's answer to CONNECT, about */

/* Set the callback on f's handle. */
void transfer_progress_attach(struct curlew_fetch *f);

/*
 * libcurl has run f's transfer, and has sent so many bytes of the hop's body.  -1 with f->failure:
 * what the peer sends is a flood.
 */
int transfer_progress_check(struct curlew_fetch *f, int64_t sent)
    __attribute__((warn_unused_result));

#endif
