/*
 * routes.h - the routes themselves, one file each.
 */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "fastcgi/exchange.h"

void fetch_serve(struct exchange *c); /* POST and GET …/v1/fetch */
void fetch_fetched(struct exchange *c, struct curlew_fetch *f);
void stream_route_serve(struct exchange *c); /* POST and GET …/v1/stream, and hand-offs */
void stream_route_begun(struct exchange *c);
void stream_route_fetched(struct exchange *c, struct curlew_fetch *f);
void batch_serve(struct exchange *c); /* POST …/v1/batch */
void batch_fetched(struct exchange *c, struct curlew_fetch *f);
bool batch_more(struct exchange *c);
void hand_off_route_serve(struct exchange *c); /* POST …/v1/handoffs */
void sessions_route_serve(struct exchange *c); /* GET …/v1/sessions */
void session_route_serve(struct exchange *c);  /* GET, PUT and DELETE …/v1/sessions/NAME */
void session_reset_serve(struct exchange *c);  /* POST …/v1/sessions/NAME/reset */
void health_serve(struct exchange *c);         /* GET …/healthz */
void metrics_serve(struct exchange *c);        /* GET …/metrics */
void status_serve(struct exchange *c);         /* GET …/v1/status: JSON */
void page_serve(struct exchange *c);           /* GET …/status: for people */

#endif
