/* route_health.c - GET …/healthz: may the daemon be sent requests? */

#include "gateway/gateway.h"
#include "gateway/routes.h"

void
health_serve(struct call *c)
{
    bool draining = c->gateway->draining;

    buffer_adds(&c->prefix, draining ? "{\"status\":\"draining\"}" : "{\"status\":\"ok\"}");
    call_answer(c, draining ? 503 : 200, "application/json");
}
