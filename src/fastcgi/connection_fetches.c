/* connection_fetches.c - the fetches of a connection's request: in flight, with news, back. */

#include "fastcgi/fcgi_connection.h"
#include "fastcgi/fcgi_server.h"
#include "fastcgi/fcgi_worker.h"
#include "fastcgi/response_writer.h"
#include "fetch/body_pipe.h"
#include "routes/access_log.h"
#include "routes/router.h"

void
fcgi_connection_fetch_started(struct fcgi_connection *c)
{
    if (c->waiting++ == 0)
        counter_add(&fcgi_connection_server(c)->stats.parked, 1);
}

void
fcgi_connection_on_fetch_done(struct fcgi_connection *c, struct curlew_fetch *f)
{
    struct fcgi_server *g = fcgi_connection_server(c);

    access_log_write(&c->call, f, &f->failure);
    if (--c->waiting == 0)
        counter_add(&g->stats.parked, -1);
    if (c->state != GONE) {
        c->call.route->on_fetch_done(&c->call, f);
        fcgi_worker_mark_ready(c->responder, c);
    } else if (c->waiting == 0) {
        counter_add(&g->stats.cancelled, 1);
        fcgi_connection_request_done(c);
    }
}

void
fcgi_connection_on_stream_readable(struct fcgi_connection *c)
{
    struct curlew_fetch *f = c->call.fetch;

    body_pipe_ack_notify(f->pipe);
    if (c->state == GONE)
        return;
    if (f->worker == NULL) /* it has ended already: how, its own mail says */
        return;
    if (c->state == PARKED && body_pipe_has_head(f->pipe))
        c->call.route->on_headers(&c->call);
    if (c->call.streaming)
        response_writer_start(c);
}
