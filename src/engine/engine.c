/* engine.c - the engine: its threads, its configuration, and the fetches it takes. */

#include "engine/engine.h"

#include "engine/engine_worker.h"
#include "engine/prepare.h"
#include "engine/worker_inbox.h"
#include "transfer/content_coding.h"
#include "transfer/libcurl_check.h"
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

/* -- the engine ---------------------------------------------------------- */

struct curlew *
engine_new(const struct engine_config *settings, struct failure *err)
{
    struct curlew *c;

    if (libcurl_check(err) != 0 || content_coding_check(err) != 0)
        return NULL;
    if ((c = calloc(1, sizeof *c)) == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl_global_trace("http/2"); /* only sent_once.c's transfers, which are verbose, have it */
    pthread_mutex_init(&c->config_lock, NULL);
    pthread_mutex_init(&c->change_lock, NULL);
    c->in_flight_max = settings->limits.in_flight;
    if ((c->config = config_snapshot_new(settings, NULL, err)) == NULL ||
        start_threads(c, settings->threads, err) != 0) {
        engine_free(c);
        return NULL;
    }
    return c;
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
    config_snapshot_unref(old);
    return 0;
}

int
engine_reload(struct curlew *c, const struct engine_config *settings, struct failure *err)
{
    int rc;

    pthread_mutex_lock(&c->change_lock);
    rc = replace_config(c, config_snapshot_new(settings, c->config, err));
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
        body_pipe_set_resume(f->pipe, worker_inbox_resume);
    f->done = done;
    f->arg = arg;
    f->response.attempts = 1;
    f->submitted_us = f->posted_us = clock_us();
    worker_inbox_post(worker_inbox_for(c, f->url.origin), f);
    return 0;
}
