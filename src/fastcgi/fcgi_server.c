/* fcgi_server.c - the FastCGI server: its listeners, its worker threads, its drain. */

#include "fastcgi/fcgi_server.h"

#include "fastcgi/fcgi_worker.h"
#include "util/clock.h"

#include <stdlib.h>
#include <time.h>

static struct helper_thread *
start_helper(const char *name, struct failure *err)
{
    struct helper_thread *h = calloc(1, sizeof *h);

    if (h != NULL && helper_thread_start(h, name, EXCHANGE_WAITS_MAX) == 0)
        return h;
    free(h);
    failure_set(err, ERROR_INTERNAL, "cannot start a helper thread: no memory or no threads left");
    return NULL;
}

/* NULL is allowed. */
static void
stop_helper(struct helper_thread *h)
{
    if (h != NULL)
        helper_thread_stop(h);
    free(h);
}

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
    stop_helper(server->reader); /* before the workers: they may be waking one */
    stop_helper(server->writer);
    for (int i = 0; i < server->worker_count; i++)
        fcgi_worker_free(server->workers[i]);
    free(server->workers);
    pthread_mutex_destroy(&server->starting);
    free(server);
}

void
fcgi_server_set_limits(struct fcgi_server *server, const struct fcgi_server_limits *limits)
{
    server->request_bytes = limits->request_bytes;
    server->bodies_bytes = limits->bodies_bytes;
}

/* No worker begins before all are there: each looks at the others' connections. */
static int
start_workers(struct fcgi_server *server, int count, struct failure *err)
{
    struct fcgi_worker *w = NULL;

    server->accepting = count;
    pthread_mutex_lock(&server->starting);
    while (server->worker_count < count && (w = fcgi_worker_new(server, err)) != NULL)
        server->workers[server->worker_count++] = w;
    pthread_mutex_unlock(&server->starting);
    return server->worker_count == count ? 0 : -1;
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
    pthread_mutex_init(&server->starting, NULL);
    server->engine = engine;
    server->listeners = listeners;
    server->handler = config->handler;
    server->handler_data = config->handler_data;
    server->connections_max = engine->shares.callers;
    server->surplus_max = engine->shares.surplus;
    server->started_us = clock_us();
    server->start_time = time(NULL);
    fcgi_server_set_limits(server, &config->limits);
    server->reader = start_helper("reader", err);
    server->writer = start_helper("writer", err);
    if (server->reader != NULL && server->writer != NULL &&
        start_workers(server, config->workers, err) == 0)
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
