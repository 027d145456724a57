/* route_health.c - GET …/healthz: is the daemon ready for requests? */

#include "routes/route_health.h"

void
route_health_on_request(struct exchange *x)
{
    bool draining = x->server->draining;

    buffer_adds(&x->prefix, draining ? "{\"status\":\"draining\"}" : "{\"status\":\"ok\"}");
    exchange_respond(x, draining ? 503 : 200, "application/json");
}
