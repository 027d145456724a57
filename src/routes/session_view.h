/*
 * session_view.h - the sessions that a caller may see: all, or those that its token is limited to.
 */
#ifndef ROUTES_SESSION_VIEW_H
#define ROUTES_SESSION_VIEW_H

#include "fastcgi/exchange.h"
#include "session/config_snapshot.h"

struct session_view {
    struct config_snapshot *config; /* whose sessions these are */
    struct session **sessions;
    size_t count;
    /* The caller may not see what concerns other sessions, nor all of them together. */
    bool limited;
};

/* Of x's bearer token.  0, to be closed; -1 with `err`: unauthorized, or no memory. */
int session_view_open(struct session_view *v, const struct exchange *x, struct failure *err);

void session_view_close(struct session_view *v);

#endif
