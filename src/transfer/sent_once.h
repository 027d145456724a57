/*
 * sent_once.h - counts how often libcurl writes a hop's request, and stops what must not go twice.
 *
 * libcurl calls the pre-request callback before every writing, also before those that it decides on
 * by itself; each of them needs a connection, so that a forbidden one is mostly stopped before that
 * is opened.  resend.h has the rule.
 */
#ifndef TRANSFER_SENT_ONCE_H
#define TRANSFER_SENT_ONCE_H

#include "fetch/fetch.h"

#include <curl/curl.h>

/* Set what f's handle needs, and begin anew. */
void sent_once_attach(struct curlew_fetch *f);

/* A connection is about to be opened. -1 with f->failure: it would be for a forbidden writing. */
int sent_once_on_open(struct curlew_fetch *f);

/* The request is about to be written. -1 with f->failure: it must not be. */
int sent_once_check(struct curlew_fetch *f);

/*
 * It may be written again, but only on a connection that was opened since it was written first, and
 * that is not a kept one already (`kept_http1`): not on this one.
 */
bool sent_once_needs_newer(const struct curlew_fetch *f, uint64_t conn_id, bool kept_http1);

/* It is written now; no connection of the pool has a higher number than `newest`. */
void sent_once_count(struct curlew_fetch *f, uint64_t newest);

/*
 * The hop has failed.  Does a writing on another connection follow after all?  libcurl
 * repeats nothing itself where a kept connection of HTTP/3 was closed by the origin, nor where the
 * write to a kept one fails.
 */
bool sent_once_try_again(struct curlew_fetch *f, CURLcode result);

/* A response begins: what the hop writes next, as for authentication, is another request. */
void sent_once_on_response(struct curlew_fetch *f);

/*
 * The hop has failed.  Where its request was written before, f->failure must not say that nothing
 * was sent: callers send again then.
 */
void sent_once_correct_failure(struct curlew_fetch *f);

#endif
