/*
 * route_sessions.h - …/v1/sessions: list, show, create or replace, remove and reset sessions.
 */
#ifndef ROUTES_ROUTE_SESSIONS_H
#define ROUTES_ROUTE_SESSIONS_H

#include "fastcgi/exchange.h"

/* GET …/v1/sessions. */
void route_sessions_on_list(struct exchange *x);

/* GET, PUT and DELETE …/v1/sessions/NAME. */
void route_sessions_on_request(struct exchange *x);

/* POST …/v1/sessions/NAME/reset. */
void route_sessions_on_reset(struct exchange *x);

#endif
