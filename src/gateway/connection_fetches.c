/* connection_fetches.c - the fetches of a connection's request: in flight, with news, back. */

#include "fetch/body_pipe.h"
#include "gateway/access.h"
#include "gateway/connection.h"
#include "gateway/gateway.h"
#include "gateway/reply.h"
#include "gateway/responder.h"
#include "gateway/router.h"

void
connection_waits(struct connection *c)
{
    if (c->waiting++ == 0)
        counter_add(&connection_gateway(c)->stats.parked, 1);
}

void
connection_fetched(struct connection *c, struct curlew_fetch *f)
{
    struct gateway *g = connection_gateway(c);

    access_log(&c->call, f, &f->failure);
    if (--c->waiting == 0)
        counter_add(&g->stats.parked, -1);
    if (c->state != GONE) {
        c->call.route->fetched(&c->call, f);
        responder_stir(c->responder, c);
    } else if (c->waiting == 0) {
        counter_add(&g->stats.cancelled, 1);
        connection_request_over(c);
    }
}

void
connection_noticed(struct connection *c)
{
    struct curlew_fetch *f = c->call.fetch;

    body_pipe_ack_notify(f);
    if (c->state == GONE)
        return;
    if (f->home == NULL) /* it has ended already: how, its own mail says */
        return;
    if (c->state == PARKED && body_pipe_has_head(f))
        c->call.route->begun(&c->call);
    if (c->call.streaming)
        reply_start(c);
}
