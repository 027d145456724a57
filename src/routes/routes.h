/*
 * routes.h - the routes themselves, one file each.
 */
#ifndef ROUTES_ROUTES_H
#define ROUTES_ROUTES_H

#include "fastcgi/exchange.h"

/* POST and GET …/v1/fetch. */
void route_fetch_on_request(struct exchange *x);

void route_fetch_on_fetch_done(struct exchange *x, struct curlew_fetch *f);

/* POST and GET …/v1/stream, and hand-offs. */
void route_stream_on_request(struct exchange *x);

void route_stream_on_headers(struct exchange *x);
void route_stream_on_fetch_done(struct exchange *x, struct curlew_fetch *f);

/* POST …/v1/batch. */
void route_batch_on_request(struct exchange *x);

void route_batch_on_fetch_done(struct exchange *x, struct curlew_fetch *f);
bool route_batch_next_chunk(struct exchange *x);

/* POST …/v1/handoffs. */
void route_handoff_on_request(struct exchange *x);

/* GET …/v1/sessions. */
void route_sessions_on_list(struct exchange *x);

/* GET, PUT and DELETE …/v1/sessions/NAME. */
void route_sessions_on_request(struct exchange *x);

/* POST …/v1/sessions/NAME/reset. */
void route_sessions_on_reset(struct exchange *x);

/* GET …/healthz. */
void route_health_on_request(struct exchange *x);

/* GET …/metrics. */
void route_metrics_on_request(struct exchange *x);

/* GET …/v1/status: JSON. */
void route_status_on_request(struct exchange *x);

/* GET …/status: for people. */
void route_status_on_page(struct exchange *x);

#endif
