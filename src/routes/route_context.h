/*
 * route_context.h - what the routes share: the handler_data of the FastCGI server.
 */
#ifndef ROUTES_ROUTE_CONTEXT_H
#define ROUTES_ROUTE_CONTEXT_H

#include "fastcgi/exchange.h"

#include <stdatomic.h>

struct auth;
struct cross_site;
struct handoff_store;

struct route_context {
    struct auth *auth;
    struct cross_site *cross_site;
    struct handoff_store *handoff_store;
    atomic_bool log_access;
    atomic_bool replica;             /* the setting: callers may not change sessions */
    _Atomic double log_slow_seconds; /* 0: no such lines */
};

static inline struct route_context *
route_context_of(const struct exchange *x)
{
    return x->server->handler_data;
}

#endif
