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
    void (*on_request)(struct exchange *x); /* the request is whole: answer, or submit x->fetch */
    /* f, of x, is back: answer. */
    void (*on_fetch_done)(struct exchange *x, struct curlew_fetch *f);
    /* The head of x->fetch's stream is there; NULL: no streams. */
    void (*on_headers)(struct exchange *x);
    /* The next piece of a partial answer; false: none now. */
    bool (*next_chunk)(struct exchange *x);
};

/*
 * The route of x's request, in x->route; -1 with `err`: not_found, method_not_allowed,
 * unauthorized.
 */
int router_find(struct exchange *x, struct failure *err);

#endif
