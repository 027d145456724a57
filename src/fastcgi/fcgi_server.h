/*
 * fcgi_server.h - the FastCGI server: its listeners, its worker threads, its drain.
 */
#ifndef FASTCGI_FCGI_SERVER_H
#define FASTCGI_FCGI_SERVER_H

#include "engine/engine.h"
#include "fastcgi/exchange.h"
#include "fastcgi/fcgi_state.h"
#include "fastcgi/listener.h"
#include "util/failure.h"

struct fcgi_server_limits {
    int64_t request_bytes, bodies_bytes;
};

struct fcgi_server_config {
    int workers;
    struct fcgi_server_limits limits;
    /* Called when the parameters of a request are complete: see exchange_read_body(). */
    void (*handler)(struct exchange *x);
    void *handler_data; /* for the handler to find in x->server */
};

/* From now on; safe at any time. */
void fcgi_server_set_limits(struct fcgi_server *server, const struct fcgi_server_limits *limits);

/* Start serving; the engine and the listeners stay the caller's.  NULL with `err`. */
struct fcgi_server *fcgi_server_new(struct curlew *engine, struct listener_list *listeners,
                                    const struct fcgi_server_config *config, struct failure *err);

/*
 * Accept no more, answer what is in flight, at most for so long; what is left then is cancelled.
 * Returns at once: fcgi_server_join() waits.
 */
void fcgi_server_drain(struct fcgi_server *server, int seconds);

/* After fcgi_server_drain(): waits for all to be answered. */
void fcgi_server_join(struct fcgi_server *server);

/* After fcgi_server_join(), and after the engine was freed. */
void fcgi_server_free(struct fcgi_server *server);

#endif
