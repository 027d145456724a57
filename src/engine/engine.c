/* engine.c - the engine: its threads, its configuration, and the fetches it takes. */

#include "engine/engine.h"

#include "coding/content_coding.h"
#include "engine/engine_worker.h"
#include "engine/prepare.h"
#include "engine/worker_inbox.h"
#include "libcurl/curl_features.h"
#include "libcurl/curl_memory.h"
#include "util/clock.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* -- threads ------------------------------------------------------------- */

static void
stop_threads(struct curlew *c)
{
    c->stopping = true;
    for (int i = 0; i < c->worker_count; i++)
        engine_worker_join(c->workers[i]);
    for (int i = 0; i < c->worker_count; i++)
        engine_worker_free(c->workers[i]);
    free(c->workers);
}

static int
start_threads(struct curlew *c, int count, struct failure *err)
{
    if ((c->workers = calloc((size_t)count, sizeof c->workers[0])) == NULL)
        return failure_no_memory(err);
    while (c->worker_count < count) {
        struct engine_worker *w = engine_worker_new(c, err);

        if (w == NULL)
            return -1;
        c->workers[c->worker_count++] = w;
    }
    return 0;
}

/* -- open files ------------------------------------------------------------ */

#define DESCRIPTORS_OF_THREAD 4  /* of an engine thread: its event loop's and libcurl's */
#define DESCRIPTORS_OF_OTHERS 16 /* the FastCGI server's threads start after the engine */

/* A transfer without a descriptor for its connection would only fail: it waits in the queue. */
static struct config_snapshot *
make_snapshot(const struct curlew *c, const struct engine_config *settings,
              const struct config_snapshot *old, struct failure *err)
{
    struct engine_config within = *settings;

    if (settings->limits.in_flight > c->shares.origins) {
        within.limits.in_flight = c->shares.origins;
        log_sink_printf(&settings->log, LOG_WARNING,
                        "limits.in_flight: %d is too many for the limit of %d open files, so %d "
                        "fetches are in flight at most; raise LimitNOFILE of the service, or "
                        "ulimit -n",
                        settings->limits.in_flight, c->shares.limit, c->shares.origins);
    }
    return config_snapshot_new(&within, old, err);
}

/* A thread cannot close another's idle connections in time; together they keep half a share. */
static int
kept_if_tight(const struct curlew *c, int threads)
{
    int kept = threads > 1 ? c->shares.origins / (2 * threads) : c->shares.origins;

    return kept > 0 ? kept : 1;
}

void
engine_drop_idle(struct curlew *c)
{
    worker_inbox_drop_idle(c);
}

/* -- the engine ---------------------------------------------------------- */

struct curlew *
engine_new(const struct engine_config *settings, struct failure *err)
{
    struct curlew *c;

    if (curl_features_check_version(err) != 0 || content_coding_check(err) != 0)
        return NULL;
    if ((c = calloc(1, sizeof *c)) == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    if (curl_memory_init() != 0) {
        failure_set(err, ERROR_INTERNAL, "libcurl cannot be initialised");
        free(c);
        return NULL;
    }
    curl_global_trace("http/2"); /* only sent_once.c's transfers, which are verbose, have it */
    pthread_mutex_init(&c->config_lock, NULL);
    pthread_mutex_init(&c->change_lock, NULL);
    c->shares =
        descriptors_shares(DESCRIPTORS_OF_OTHERS + settings->threads * DESCRIPTORS_OF_THREAD);
    c->kept_if_tight = kept_if_tight(c, settings->threads);
    if ((c->config = make_snapshot(c, settings, NULL, err)) == NULL)
        goto failed;
    c->in_flight_max = c->config->limits.in_flight;
    if (start_threads(c, settings->threads, err) == 0)
        return c;

failed:
    engine_free(c);
    return NULL;
}

void
engine_drain(struct curlew *c)
{
    c->draining = true;
}

void
engine_free(struct curlew *c)
{
    if (c == NULL)
        return;
    engine_drain(c);
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

/* Most are at the same place, or moved up by one; only after a reload all are others. */
static bool
has_session(const struct config_snapshot *p, const struct session *s, size_t at)
{
    if ((at < p->session_count && p->sessions[at] == s) ||
        (at > 0 && at <= p->session_count && p->sessions[at - 1] == s))
        return true;
    return config_snapshot_find_session(p, s->settings.name) != NULL;
}

/* What is in flight in them goes on. */
static void
mark_removed(const struct config_snapshot *old, const struct config_snapshot *now)
{
    for (size_t i = 0; i < old->session_count; i++)
        if (!has_session(now, old->sessions[i], i))
            old->sessions[i]->state->removed = true;
}

/* One change at a time, under change_lock: each starts from the snapshot before it. */
static int
replace_config(struct curlew *c, struct config_snapshot *now)
{
    struct config_snapshot *old = c->config;

    if (now == NULL)
        return -1;
    pthread_mutex_lock(&c->config_lock);
    c->config = now;
    c->in_flight_max = now->limits.in_flight;
    pthread_mutex_unlock(&c->config_lock);
    mark_removed(old, now);
    worker_inbox_new_config(c, now);
    config_snapshot_unref(old);
    return 0;
}

int
engine_reload(struct curlew *c, const struct engine_config *settings, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = replace_config(c, make_snapshot(c, settings, c->config, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_put_session(struct curlew *c, const struct session_config *s, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = replace_config(c, config_snapshot_with_session(c->config, s, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_remove_session(struct curlew *c, const char *name, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = replace_config(c, config_snapshot_without_session(c->config, name, err));
    pthread_mutex_unlock(&c->change_lock);
    return rc;
}

int
engine_replace_session(struct curlew *c, const char *name, const struct session *was,
                       const struct session_config *now, struct failure *err)
{
    int rc = 1;

    pthread_mutex_lock(&c->change_lock);
    if (config_snapshot_find_session(c->config, name) == was)
        rc = replace_config(c, now != NULL ? config_snapshot_with_session(c->config, now, err)
                                           : config_snapshot_without_session(c->config, name, err));
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
    counter_add(&s->state->resets, 1); /* its idle sockets are older than this: they are dropped */
    worker_inbox_drop_reset(c);
    config_snapshot_unref(p);
    return 0;
}

/* -- fetches ----------------------------------------------------------------- */

int
engine_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg)
{
    fetch_reset(f); /* it may have been refused, or done, before */
    if (c->draining)
        return failure_set(&f->failure, ERROR_DRAINING, "the daemon is stopping");
    f->stats = &c->stats;
    f->config = engine_snapshot(c);
    if (prepare_fetch(f) != 0) {
        if (f->session != NULL)
            counter_add(&f->session->state->outcomes[f->failure.error], 1);
        return -1;
    }
    if (f->pipe != NULL)
        body_pipe_attach(f->pipe, worker_inbox_resume, f->config->bodies);
    if (f->upload != NULL)
        upload_pipe_attach(f->upload, worker_inbox_upload_bytes);
    f->done = done;
    f->arg = arg;
    f->response.attempts = 1;
    f->submitted_us = f->posted_us = clock_us();
    worker_inbox_post(worker_inbox_for(c, f->url.origin), f);
    return 0;
}
