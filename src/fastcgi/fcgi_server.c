/* fcgi_server.c - the FastCGI side: listeners, responder threads, and what they share. */

#include "fastcgi/fcgi_server.h"

#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "util/clock.h"

#include <stdlib.h>

void
fcgi_server_join(struct fcgi_server *server)
{
    for (int i = 0; i < server->worker_count; i++)
        fcgi_worker_join(server->workers[i]);
}

void
fcgi_server_free(struct fcgi_server *server)
{
    if (server == NULL)
        return;
    for (int i = 0; i < server->worker_count; i++)
        fcgi_worker_free(server->workers[i]);
    free(server->workers);
    handoff_store_free(server->handoff_store);
    free(server);
}

void
fcgi_server_apply(struct fcgi_server *server, const struct fcgi_server_config *config)
{
    server->request_bytes = config->request_bytes;
    server->bodies_bytes = config->bodies_bytes;
    server->log_access = config->log_access;
}

struct fcgi_server *
fcgi_server_new(struct curlew *engine, struct listener_list *listeners, struct auth *auth,
                const struct fcgi_server_config *config, int workers, struct failure *err)
{
    struct fcgi_server *server = calloc(1, sizeof *server);

    if (server == NULL || (server->handoff_store = handoff_store_new()) == NULL ||
        (server->workers = calloc((size_t)workers, sizeof server->workers[0])) == NULL) {
        handoff_store_free(server != NULL ? server->handoff_store : NULL);
        free(server);
        failure_no_memory(err);
        return NULL;
    }
    server->engine = engine;
    server->listeners = listeners;
    server->auth = auth;
    server->started = time(NULL);
    fcgi_server_apply(server, config);
    server->accepting = workers;
    while (server->worker_count < workers) {
        struct fcgi_worker *w = fcgi_worker_new(server, err);

        if (w == NULL) {
            fcgi_server_drain(server, 0);
            fcgi_server_join(server);
            fcgi_server_free(server);
            return NULL;
        }
        server->workers[server->worker_count++] = w;
    }
    return server;
}

static void
wake_all(struct fcgi_server *server)
{
    for (int i = 0; i < server->worker_count; i++)
        fcgi_worker_wake(server->workers[i]);
}

void
fcgi_server_drain(struct fcgi_server *server, int seconds)
{
    server->drain_until_us = clock_us() + (int64_t)seconds * US_PER_SECOND;
    server->draining = true;
    wake_all(server);
}

void
fcgi_server_request_done(struct fcgi_server *server)
{
    if (atomic_fetch_sub(&server->busy, 1) == 1 && server->draining)
        wake_all(server);
}

void
fcgi_server_stop_accepting(struct fcgi_server *server)
{
    if (atomic_fetch_sub(&server->accepting, 1) == 1)
        listener_list_close(server->listeners);
}
