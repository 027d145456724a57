/* fcgi_server.c - the FastCGI server: its listeners, its worker threads, its drain. */

#include "fastcgi/fcgi_server.h"

#include "fastcgi/fcgi_worker.h"
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
    free(server);
}

void
fcgi_server_set_limits(struct fcgi_server *server, const struct fcgi_server_limits *limits)
{
    server->request_bytes = limits->request_bytes;
    server->bodies_bytes = limits->bodies_bytes;
}

static int
start_workers(struct fcgi_server *server, int count, struct failure *err)
{
    server->accepting = count;
    while (server->worker_count < count) {
        struct fcgi_worker *w = fcgi_worker_new(server, err);

        if (w == NULL)
            return -1;
        server->workers[server->worker_count++] = w;
    }
    return 0;
}

struct fcgi_server *
fcgi_server_new(struct curlew *engine, struct listener_list *listeners,
                const struct fcgi_server_config *config, struct failure *err)
{
    struct fcgi_server *server = calloc(1, sizeof *server);
    size_t count = (size_t)config->workers;

    if (server == NULL || (server->workers = calloc(count, sizeof server->workers[0])) == NULL) {
        free(server);
        failure_no_memory(err);
        return NULL;
    }
    server->engine = engine;
    server->listeners = listeners;
    server->handler = config->handler;
    server->handler_data = config->handler_data;
    server->started = time(NULL);
    fcgi_server_set_limits(server, &config->limits);
    if (start_workers(server, config->workers, err) == 0)
        return server;
    fcgi_server_drain(server, 0);
    fcgi_server_join(server);
    fcgi_server_free(server);
    return NULL;
}

void
fcgi_server_drain(struct fcgi_server *server, int seconds)
{
    server->drain_until_us = clock_us() + (int64_t)seconds * US_PER_SECOND;
    server->draining = true;
    for (int i = 0; i < server->worker_count; i++)
        loop_wake(&server->workers[i]->loop);
}
