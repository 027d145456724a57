/*
 * route_handoff.h - POST …/v1/handoffs: keep a request object for a handoff by reference.
 */
#ifndef ROUTES_ROUTE_HANDOFF_H
#define ROUTES_ROUTE_HANDOFF_H

#include "fastcgi/exchange.h"

void route_handoff_on_request(struct exchange *x);

#endif
