/*
 * route_stream.h - …/v1/stream, and handoffs: one fetch, passed through as it comes.
 */
#ifndef ROUTES_ROUTE_STREAM_H
#define ROUTES_ROUTE_STREAM_H

#include "fastcgi/exchange.h"

void route_stream_on_request(struct exchange *x);

#endif
