/*
 * route_batch.h - POST …/v1/batch: many fetches, and a line for each as it ends.
 */
#ifndef ROUTES_ROUTE_BATCH_H
#define ROUTES_ROUTE_BATCH_H

#include "fastcgi/exchange.h"

void route_batch_on_request(struct exchange *x);

#endif
