/* fcgi_server.c - the FastCGI side: listeners, responder threads, and what they share. */

#include "fastcgi/fcgi_server.h"

#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "util/clock.h"

#include <stdlib.h>

void
fcgi_server_join(struct fcgi_server *g)
{
    for (int i = 0; i < g->responder_count; i++)
        fcgi_worker_join(g->responders[i]);
}

void
fcgi_server_free(struct fcgi_server *g)
{
    if (g == NULL)
        return;
    for (int i = 0; i < g->responder_count; i++)
        fcgi_worker_free(g->responders[i]);
    free(g->responders);
    handoff_store_free(g->handoff_store);
    free(g);
}

void
fcgi_server_apply(struct fcgi_server *g, const struct fcgi_server_config *s)
{
    g->request_bytes = s->request_bytes;
    g->bodies_bytes = s->bodies_bytes;
    g->log_access = s->log_access;
}

struct fcgi_server *
fcgi_server_new(struct curlew *engine, struct listener_list *listeners, struct auth *auth,
                const struct fcgi_server_config *s, int responders, struct failure *err)
{
    struct fcgi_server *g = calloc(1, sizeof *g);

    if (g == NULL || (g->handoff_store = handoff_store_new()) == NULL ||
        (g->responders = calloc((size_t)responders, sizeof g->responders[0])) == NULL) {
        handoff_store_free(g != NULL ? g->handoff_store : NULL);
        free(g);
        failure_no_memory(err);
        return NULL;
    }
    g->engine = engine;
    g->listeners = listeners;
    g->auth = auth;
    g->started = time(NULL);
    fcgi_server_apply(g, s);
    g->accepting = responders;
    while (g->responder_count < responders) {
        struct fcgi_worker *r = fcgi_worker_new(g, err);

        if (r == NULL) {
            fcgi_server_drain(g, 0);
            fcgi_server_join(g);
            fcgi_server_free(g);
            return NULL;
        }
        g->responders[g->responder_count++] = r;
    }
    return g;
}

static void
wake_all(struct fcgi_server *g)
{
    for (int i = 0; i < g->responder_count; i++)
        fcgi_worker_wake(g->responders[i]);
}

void
fcgi_server_drain(struct fcgi_server *g, int seconds)
{
    g->drain_until_us = clock_us() + (int64_t)seconds * US_PER_SECOND;
    g->draining = true;
    wake_all(g);
}

void
fcgi_server_request_done(struct fcgi_server *g)
{
    if (atomic_fetch_sub(&g->busy, 1) == 1 && g->draining)
        wake_all(g);
}

void
fcgi_server_stop_accepting(struct fcgi_server *g)
{
    if (atomic_fetch_sub(&g->accepting, 1) == 1)
        listener_list_close(g->listeners);
}
