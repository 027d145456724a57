/*
 * route_status.h - GET …/v1/status and …/status: the state, for programs and for people.
 */
#ifndef ROUTES_ROUTE_STATUS_H
#define ROUTES_ROUTE_STATUS_H

#include "fastcgi/exchange.h"

/* GET …/v1/status: JSON. */
void route_status_on_request(struct exchange *x);

/* GET …/status: for people. */
void route_status_on_page(struct exchange *x);

#endif
