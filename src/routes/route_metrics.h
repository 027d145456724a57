/*
 * route_metrics.h - GET …/metrics: the counters in Prometheus' text format, version 0.0.4.
 */
#ifndef ROUTES_ROUTE_METRICS_H
#define ROUTES_ROUTE_METRICS_H

#include "fastcgi/exchange.h"

void route_metrics_on_request(struct exchange *x);

#endif
