/*
 * route_health.h - GET …/healthz: is the daemon ready for requests?
 */
#ifndef ROUTES_ROUTE_HEALTH_H
#define ROUTES_ROUTE_HEALTH_H

#include "fastcgi/exchange.h"

void route_health_on_request(struct exchange *x);

#endif
