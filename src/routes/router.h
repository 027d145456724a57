/*
 * router.h - which route a request is for: the end of its path decides.
 */
#ifndef ROUTES_ROUTER_H
#define ROUTES_ROUTER_H

#include "fastcgi/exchange.h"

struct route {
    const char *path;    /* the end of SCRIPT_NAME + PATH_INFO; "*" is one segment */
    const char *methods; /* as in an Allow field */
    bool open;           /* asks for no bearer token */
    bool acts;           /* fetches or changes something: not for pages of other sites */
    bool uploads;        /* a request's body may follow its request object */
    /* The request is complete: respond, or start fetches and set x->ops. */
    void (*on_request)(struct exchange *x);
};

/* The FastCGI server's handler; its handler_data is a struct route_context. */
void router_handle(struct exchange *x);

/*
 * The route of x's request; NULL with `err`: not_found, method_not_allowed, forbidden,
 * unauthorized.
 */
const struct route *router_find(struct exchange *x, struct failure *err);

#endif
