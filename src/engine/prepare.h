/*
 * prepare.h - before a fetch is sent to its thread: the request is completed and checked.
 *
 * Connections are shared by strangers, so nothing may be sent that makes the origin and libcurl
 * disagree about where a message ends.
 */
#ifndef ENGINE_PREPARE_H
#define ENGINE_PREPARE_H

#include "fetch/fetch.h"

/* f->config is set: session, URL, defaults, proxy and egress rules.  -1 with f->failure. */
int prepare_fetch(struct curlew_fetch *f);

/* f's proxy, lent by its session, has failed: another for its next attempt.  -1 with f->failure. */
int prepare_next_proxy(struct curlew_fetch *f);

#endif
