/* route_health.c - GET …/healthz: may the daemon be sent requests? */

#include "fastcgi/fcgi_server.h"
#include "routes/routes.h"

void
route_health_on_request(struct exchange *c)
{
    bool draining = c->server->draining;

    buffer_adds(&c->prefix, draining ? "{\"status\":\"draining\"}" : "{\"status\":\"ok\"}");
    exchange_respond(c, draining ? 503 : 200, "application/json");
}
