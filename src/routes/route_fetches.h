/*
 * route_fetches.h - GET …/v1/fetches: what is in flight.
 */
#ifndef ROUTES_ROUTE_FETCHES_H
#define ROUTES_ROUTE_FETCHES_H

#include "fastcgi/exchange.h"

void route_fetches_on_request(struct exchange *x);

#endif
