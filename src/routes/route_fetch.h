/*
 * route_fetch.h - POST and GET …/v1/fetch: one fetch, and its envelope.
 */
#ifndef ROUTES_ROUTE_FETCH_H
#define ROUTES_ROUTE_FETCH_H

#include "fastcgi/exchange.h"

void route_fetch_on_request(struct exchange *x);

#endif
