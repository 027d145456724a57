/* submit.c - from a web server's request to a fetch in flight: read, check who asks, submit. */

#include "routes/submit.h"

#include "fastcgi/fcgi_connection.h"
#include "fastcgi/fcgi_server.h"
#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "fetch/fetch.h"
#include "message/request_json.h"
#include "message/request_query.h"
#include "routes/access_log.h"
#include "routes/auth.h"
#include "routes/handoff_request.h"
#include "routes/trace_context.h"

#include <string.h>

static int
read_request(struct exchange *c, struct failure *err)
{
    struct request *r = &c->fetch->request;

    if (c->handoff)
        return handoff_request_read(c, r, err);
    if (strcmp(exchange_method(c), "GET") == 0)
        return request_query_read(r, exchange_query(c), err);
    if (c->body.len == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed");
    return request_json_parse(r, c->body.data, c->body.len, err);
}

/* A hand-off comes with the web server's word, and a browser behind it; others with a token. */
static int
check_caller(struct exchange *c, const struct request *r, struct failure *err)
{
    if (c->handoff) /* the browser's own headers are no business of the origin's */
        return 0;
    if (r->forward.count > 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "forward_headers: only a hand-off has a browser's headers to pass on");
    return auth_check(c->server->auth, libfcgi_codec_param(c->codec, "HTTP_AUTHORIZATION"),
                      r->session != NULL ? r->session : "default", err);
}

int
submit_prepared(struct exchange *c, struct curlew_fetch *f)
{
    if (check_caller(c, &f->request, &f->failure) != 0 ||
        (!c->handoff && trace_context_read(c, &f->request, &f->failure) != 0) ||
        engine_submit(c->server->engine, f, fcgi_worker_on_done, c->connection) != 0)
        return -1;
    fcgi_connection_fetch_started(c->connection);
    return 0;
}

static int
start(struct exchange *c, bool stream, struct failure *err)
{
    if (c->server->draining)
        return failure_set(err, ERROR_DRAINING, "the daemon is stopping");
    if ((c->fetch = fetch_new()) == NULL)
        return failure_no_memory(err);
    if (read_request(c, err) != 0)
        return -1;
    buffer_free(&c->body);
    if (stream && fetch_stream_body(c->fetch, fcgi_worker_on_notify, c->connection) != 0)
        return failure_no_memory(err);
    if (submit_prepared(c, c->fetch) == 0)
        return 0;
    *err = c->fetch->failure;
    return -1;
}

static int
take_in(struct exchange *c, bool stream)
{
    struct failure err = { 0 };

    if (start(c, stream, &err) == 0)
        return 0;
    if (c->fetch != NULL)
        access_log_write(c, c->fetch, &err);
    exchange_fail(c, &err);
    return -1;
}

int
submit_fetch(struct exchange *c)
{
    return take_in(c, false);
}

int
submit_stream(struct exchange *c)
{
    return take_in(c, true);
}
