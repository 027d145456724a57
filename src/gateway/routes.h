/*
 * routes.h - the routes themselves, one file each.
 */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "gateway/call.h"

void fetch_serve(struct call *c); /* POST and GET …/v1/fetch */
void fetch_fetched(struct call *c, struct curlew_fetch *f);
void stream_route_serve(struct call *c); /* POST and GET …/v1/stream, and hand-offs */
void stream_route_begun(struct call *c);
void stream_route_fetched(struct call *c, struct curlew_fetch *f);
void batch_serve(struct call *c); /* POST …/v1/batch */
void batch_fetched(struct call *c, struct curlew_fetch *f);
bool batch_more(struct call *c);
void hand_off_route_serve(struct call *c); /* POST …/v1/handoffs */
void sessions_route_serve(struct call *c); /* GET …/v1/sessions */
void session_route_serve(struct call *c);  /* GET, PUT and DELETE …/v1/sessions/NAME */
void session_reset_serve(struct call *c);  /* POST …/v1/sessions/NAME/reset */
void health_serve(struct call *c);         /* GET …/healthz */
void metrics_serve(struct call *c);        /* GET …/metrics */
void status_serve(struct call *c);         /* GET …/v1/status: JSON */
void page_serve(struct call *c);           /* GET …/status: for people */

#endif
