/*
 * engine_data.h - the data of an engine and of its threads, which the modules of this folder share.
 *
 * Two structs and no function: who may call whom is a matter of the other headers.
 */
#ifndef ENGINE_ENGINE_DATA_H
#define ENGINE_ENGINE_DATA_H

#include "engine/coalesce.h"
#include "event/loop.h"
#include "event/mailbox.h"
#include "fetch/stats.h"
#include "scheduler/scheduler.h"
#include "transfer/connection_pool.h"
#include "transfer/dns_limit.h"
#include "transfer/handle_cache.h"
#include "transfer/tls_tickets.h"
#include "util/descriptors.h"

#include <pthread.h>

/*
 * One thread with one event loop and one multi handle of libcurl.  Other threads reach it through
 * worker_inbox, and read the figures of its origins through busy_origins; all else is the thread's
 * own, and needs no lock.
 */
struct engine_worker {
    struct curlew *engine;
    pthread_t thread;
    struct loop loop;
    struct mailbox inbox;
    struct mail *unread;    /* taken out of the inbox, but the turn had no time for it */
    atomic_bool drop_reset; /* a session was reset: look through the idle sockets */
    atomic_bool drop_idle;  /* descriptors are short: all idle sockets go */
    _Atomic(struct config_snapshot *) new_config; /* not yet seen by the thread; or NULL */

    void *multi;               /* libcurl's CURLM */
    struct timer curl_timer;   /* libcurl's own deadline */
    bool curl_timer_refreshed; /* libcurl has set it anew since it fired */
    struct timer again_timer;  /* libcurl had no memory to say what it waits for */
    struct connection_pool pool;
    bool is_tight; /* all threads' connections are the origins' share, or more */
    struct handle_cache handles;
    struct tls_tickets tickets;
    struct dns_limit dns_limit;
    struct scheduler scheduler;
    struct coalesce coalesce;
    struct link running, backoff; /* fetches in FETCH_RUNNING, FETCH_BACKOFF */
    uint64_t random;              /* state of a generator, for waits that are not all the same */
};

struct curlew {
    struct engine_worker **workers;
    int worker_count;
    pthread_mutex_t config_lock;     /* held to take a reference, or to replace it */
    pthread_mutex_t change_lock;     /* held by whoever makes the next snapshot */
    struct config_snapshot *config;  /* for new fetches */
    atomic_int in_flight_max;        /* that snapshot's, read without the lock */
    atomic_bool draining;            /* new fetches are refused */
    atomic_bool stopping;            /* and those in flight are cancelled */
    struct descriptor_shares shares; /* of the limit of open files, as it was at the start */
    int kept_if_tight; /* connections that a thread keeps while all have their share together */
    atomic_ulong fetch_list_number; /* of the newest */
    atomic_int fetch_lists;         /* being made: fetch_list.h */
    struct engine_stats stats;
};

#endif
