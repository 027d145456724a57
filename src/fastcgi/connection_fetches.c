/* connection_fetches.c - the fetches of a connection's request: in flight, with news, back. */

#include "fastcgi/fcgi_connection.h"
#include "fastcgi/fcgi_server.h"
#include "fastcgi/fcgi_worker.h"
#include "fastcgi/response_writer.h"
#include "fetch/body_pipe.h"
#include "routes/access_log.h"
#include "routes/router.h"

void
fcgi_connection_fetch_started(struct fcgi_connection *conn)
{
    if (conn->waiting++ == 0)
        counter_add(&fcgi_connection_server(conn)->stats.parked, 1);
}

void
fcgi_connection_on_fetch_done(struct fcgi_connection *conn, struct curlew_fetch *f)
{
    struct fcgi_server *server = fcgi_connection_server(conn);

    access_log_write(&conn->exchange, f, &f->failure);
    if (--conn->waiting == 0)
        counter_add(&server->stats.parked, -1);
    if (conn->state != GONE) {
        conn->exchange.route->on_fetch_done(&conn->exchange, f);
        fcgi_worker_mark_ready(conn->worker, conn);
    } else if (conn->waiting == 0) {
        counter_add(&server->stats.cancelled, 1);
        fcgi_connection_request_done(conn);
    }
}

void
fcgi_connection_on_stream_readable(struct fcgi_connection *conn)
{
    struct curlew_fetch *f = conn->exchange.fetch;

    body_pipe_ack_notify(f);
    if (conn->state == GONE)
        return;
    if (f->home == NULL) /* it has ended already: how, its own mail says */
        return;
    if (conn->state == PARKED && body_pipe_has_head(f))
        conn->exchange.route->on_headers(&conn->exchange);
    if (conn->exchange.streaming)
        response_writer_start(conn);
}
