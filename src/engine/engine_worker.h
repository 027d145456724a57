/*
 * engine_worker.h - one session thread: one libcurl multi handle, one event loop.
 *
 * Other threads reach it through its inbox only.  All else is the thread's
 * own, so none of it needs a lock.
 */
#ifndef ENGINE_ENGINE_WORKER_H
#define ENGINE_ENGINE_WORKER_H

#include "engine/coalesce.h"
#include "event/loop.h"
#include "event/mailbox.h"
#include "fetch/fetch.h"
#include "scheduler/scheduler.h"
#include "transfer/connection_pool.h"
#include "transfer/dns_limit.h"
#include "transfer/handle_cache.h"

struct engine_worker {
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

/* With its thread running. */
struct engine_worker *engine_worker_new(struct curlew *engine, struct failure *err);

/* Once the engine is stopping: cancels what it has, ends the thread. */
void engine_worker_join(struct engine_worker *m);

/* After every thread of the engine was joined. */
void engine_worker_free(struct engine_worker *m);

/* The fetch is the thread's now. */
void engine_worker_post(struct engine_worker *m, struct curlew_fetch *f);

/* Takes over a reference. */
void engine_worker_cancel(struct engine_worker *m, struct curlew_fetch *f);

/* f's reader has room again; nothing happens where f is done. */
void engine_worker_resume(struct curlew_fetch *f);

/* A session was reset. */
void engine_worker_drop_reset(struct engine_worker *m);

/* A place has become free elsewhere: look at the queue again. */
void engine_worker_wake(struct engine_worker *m);

#endif
