/*
 * multi.h - one session thread: one libcurl multi handle, one event loop.
 *
 * Other threads reach it through its inbox only.  All else is the thread's
 * own, so none of it needs a lock.
 */
#ifndef SESSION_MULTI_H
#define SESSION_MULTI_H

#include "event/loop.h"
#include "event/mailbox.h"
#include "fetch/fetch.h"
#include "scheduler/scheduler.h"
#include "session/coalesce.h"
#include "transfer/connection_pool.h"
#include "transfer/dns_limit.h"
#include "transfer/handle_cache.h"

struct multi {
    struct curlew *engine;
    pthread_t thread;
    struct mailbox inbox;
    struct loop loop;

    CURLM *handle;
    struct timer curl_timer; /* libcurl's own deadline */
    bool curl_timer_told;    /* libcurl has set it anew since it fired */
    struct connection_pool pool;
    atomic_bool forget; /* a session was reset: look through the idle sockets */
    struct scheduler scheduler;
    struct coalesce coalesce;
    struct dns_limit dns_limit;
    struct link running, resting;
    uint64_t random; /* for waits that are not all the same */
    struct handle_cache handles;
};

struct multi *multi_new(struct curlew *engine, struct failure *err); /* with its thread running */
void
multi_join(struct multi *m); /* once the engine is stopping: cancels what it has, ends the thread */
void multi_free(struct multi *m); /* after every thread of the engine was joined */

void multi_post(struct multi *m, struct curlew_fetch *f);   /* the fetch is the thread's now */
void multi_cancel(struct multi *m, struct curlew_fetch *f); /* takes over a reference */
void
multi_resume(struct multi *m, struct curlew_fetch *f); /* likewise: its reader has room again */
void multi_forget_idle(struct multi *m);               /* a session was reset */
void multi_wake(struct multi *m); /* a place has become free elsewhere: look at the queue again */

void multi_reap(struct multi *m); /* on its thread: see what libcurl has finished */

#endif
