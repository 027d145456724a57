/*
 * route_batch.h - POST …/v1/batch: many fetches, answered by a line each as it completes.
 */
#ifndef ROUTES_ROUTE_BATCH_H
#define ROUTES_ROUTE_BATCH_H

#include "fastcgi/exchange.h"

void route_batch_on_request(struct exchange *x);

#endif
