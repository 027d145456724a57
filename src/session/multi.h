/*
 * multi.h - one session thread: one libcurl multi handle, one event loop.
 *
 * Other threads reach it through its inbox only.  All else is the thread's
 * own, so none of it needs a lock.
 */
#ifndef SESSION_MULTI_H
#define SESSION_MULTI_H

#include "session/fetch.h"
#include "session/pool.h"

struct multi;

struct multi *multi_new(struct curlew *engine, struct failure *why); /* with its thread running */
void multi_join(struct multi *m); /* once the engine is stopping: cancels what it has, ends the thread */
void multi_free(struct multi *m); /* after every thread of the engine was joined */

void multi_post(struct multi *m, struct curlew_fetch *f);   /* the fetch is the thread's now */
void multi_cancel(struct multi *m, struct curlew_fetch *f); /* takes over a reference */
void multi_wake(struct multi *m); /* a place has become free elsewhere: look at the queue again */

/* From f's write callback, which then says CURL_WRITEFUNC_PAUSE: go on at that time. */
void multi_pause(struct curlew_fetch *f, int64_t until_us);

struct pool *multi_pool(struct multi *m);

#endif
