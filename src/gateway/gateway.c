/* gateway.c - the FastCGI side: listeners, responder threads, and what they share. */

#include "gateway/gateway.h"

#include "gateway/fastcgi.h"
#include "gateway/responder.h"
#include "util/clock.h"

#include <stdlib.h>

void
gateway_join(struct gateway *g)
{
    for (int i = 0; i < g->responder_count; i++)
        responder_join(g->responders[i]);
}

void
gateway_free(struct gateway *g)
{
    if (g == NULL)
        return;
    for (int i = 0; i < g->responder_count; i++)
        responder_free(g->responders[i]);
    free(g->responders);
    shelf_free(g->shelf);
    free(g);
}

void
gateway_apply(struct gateway *g, const struct gateway_settings *s)
{
    g->request_bytes = s->request_bytes;
    g->bodies_bytes = s->bodies_bytes;
    g->log_access = s->log_access;
}

struct gateway *
gateway_new(struct curlew *engine, struct listeners *listeners, struct auth *auth,
            const struct gateway_settings *s, int responders, struct failure *err)
{
    struct gateway *g = calloc(1, sizeof *g);

    if (g == NULL || (g->shelf = shelf_new()) == NULL ||
        (g->responders = calloc((size_t)responders, sizeof g->responders[0])) == NULL) {
        shelf_free(g != NULL ? g->shelf : NULL);
        free(g);
        failure_no_memory(err);
        return NULL;
    }
    g->engine = engine;
    g->listeners = listeners;
    g->auth = auth;
    g->started = time(NULL);
    gateway_apply(g, s);
    g->accepting = responders;
    while (g->responder_count < responders) {
        struct responder *r = responder_new(g, err);

        if (r == NULL) {
            gateway_drain(g, 0);
            gateway_join(g);
            gateway_free(g);
            return NULL;
        }
        g->responders[g->responder_count++] = r;
    }
    return g;
}

static void
wake_all(struct gateway *g)
{
    for (int i = 0; i < g->responder_count; i++)
        responder_wake(g->responders[i]);
}

void
gateway_drain(struct gateway *g, int seconds)
{
    g->drain_until_us = clock_us() + (int64_t)seconds * US_PER_SECOND;
    g->draining = true;
    wake_all(g);
}

void
gateway_request_over(struct gateway *g)
{
    if (atomic_fetch_sub(&g->busy, 1) == 1 && g->draining)
        wake_all(g);
}

void
gateway_stop_accepting(struct gateway *g)
{
    if (atomic_fetch_sub(&g->accepting, 1) == 1)
        listeners_close(g->listeners);
}
