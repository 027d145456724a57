/* engine.c - the session engine: its threads and its configuration. */

#include "engine/engine.h"

#include "engine/engine_worker.h"
#include "transfer/libcurl_check.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

/* -- threads ------------------------------------------------------------- */

struct engine_worker *
engine_worker_for(struct curlew *c, const char *origin)
{
    return c->threads[hash_bucket(hash_text(HASH_START, origin), (size_t)c->thread_count)];
}

void
engine_slot_freed(struct curlew *c, struct engine_worker *by)
{
    /*
     * Another thread counts its fetch as queued, then looks for a place once more; this one has
     * given the place up, then looks for the queued.  In one order for all, or both could miss the
     * other.
     */
    if (c->thread_count == 1 || c->stats.queued == 0)
        return;
    for (int i = 0; i < c->thread_count; i++)
        if (c->threads[i] != by)
            engine_worker_wake(c->threads[i]);
}

static void
stop_threads(struct curlew *c)
{
    c->stopping = true;
    for (int i = 0; i < c->thread_count; i++)
        engine_worker_join(c->threads[i]);
    for (int i = 0; i < c->thread_count; i++)
        engine_worker_free(c->threads[i]);
    free(c->threads);
}

static int
start_threads(struct curlew *c, int count, struct failure *err)
{
    if ((c->threads = calloc((size_t)count, sizeof c->threads[0])) == NULL)
        return failure_no_memory(err);
    while (c->thread_count < count) {
        struct engine_worker *m = engine_worker_new(c, err);

        if (m == NULL)
            return -1;
        c->threads[c->thread_count++] = m;
    }
    return 0;
}

/* -- the engine ---------------------------------------------------------- */

struct curlew *
engine_new(const struct engine_config *settings, struct failure *err)
{
    struct curlew *c;

    if (libcurl_check(err) != 0)
        return NULL;
    if ((c = calloc(1, sizeof *c)) == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_mutex_init(&c->config_lock, NULL);
    pthread_mutex_init(&c->change_lock, NULL);
    c->in_flight_max = settings->limits.in_flight;
    if ((c->config = config_snapshot_new(settings, NULL, err)) == NULL ||
        start_threads(c, settings->threads, err) != 0) {
        curlew_free(c);
        return NULL;
    }
    return c;
}

void
curlew_drain(struct curlew *c)
{
    c->draining = true;
}

void
curlew_free(struct curlew *c)
{
    if (c == NULL)
        return;
    curlew_drain(c);
    stop_threads(c);
    config_snapshot_unref(c->config);
    pthread_mutex_destroy(&c->config_lock);
    pthread_mutex_destroy(&c->change_lock);
    free(c);
    curl_global_cleanup();
}

struct config_snapshot *
engine_snapshot(struct curlew *c)
{
    struct config_snapshot *p;

    pthread_mutex_lock(&c->config_lock);
    p = config_snapshot_ref(c->config);
    pthread_mutex_unlock(&c->config_lock);
    return p;
}

/* One change at a time: each begins from the snapshot that the one before has left. */
static int
adopt(struct curlew *c, struct config_snapshot *now)
{
    struct config_snapshot *old = c->config;

    if (now == NULL)
        return -1;
    pthread_mutex_lock(&c->config_lock);
    c->config = now;
    c->in_flight_max = now->limits.in_flight;
    pthread_mutex_unlock(&c->config_lock);
    config_snapshot_unref(old);
    return 0;
}

int
engine_reload(struct curlew *c, const struct engine_config *settings, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = adopt(c, config_snapshot_new(settings, c->config, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_put_session(struct curlew *c, const struct session_config *s, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = adopt(c, config_snapshot_with_session(c->config, s, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_remove_session(struct curlew *c, const char *name, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = adopt(c, config_snapshot_without_session(c->config, name, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_reset_session(struct curlew *c, const char *name, struct failure *err)
{
    struct config_snapshot *p = engine_snapshot(c);
    struct session *s = config_snapshot_find_session(p, name);

    if (s == NULL) {
        config_snapshot_unref(p);
        return failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", name);
    }
    cookie_jar_clear(s->state->jar);
    counter_add(&s->state->resets,
                1); /* its idle sockets are older than this: each thread drops them */
    for (int i = 0; i < c->thread_count; i++)
        engine_worker_drop_reset(c->threads[i]);
    config_snapshot_unref(p);
    return 0;
}

/* -- libcurl's features -------------------------------------------------- */

const char *
engine_curl_version(void)
{
    return curl_version();
}

static bool
has_feature(int bit)
{
    return (curl_version_info(CURLVERSION_NOW)->features & bit) != 0;
}

bool
engine_has_http2(void)
{
    return has_feature(CURL_VERSION_HTTP2);
}

bool
engine_has_http3(void)
{
    return has_feature(CURL_VERSION_HTTP3);
}
