/*
 * route_status.h - GET …/v1/status and …/status: the state, for programs and for people.
 *
 * The page holds no figures: its script asks …/v1/status for them, with a token where one is
 * required.  So the page itself needs none.  It is one document without external resources, so
 * that it works under every path that a web server mounts the daemon at.
 */
#ifndef ROUTES_ROUTE_STATUS_H
#define ROUTES_ROUTE_STATUS_H

#include "fastcgi/exchange.h"

/* GET …/v1/status: JSON. */
void route_status_on_request(struct exchange *x);

/* GET …/status: the page. */
void route_status_on_page(struct exchange *x);

#endif
