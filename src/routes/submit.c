/* submit.c - from a web server's request to a fetch in flight: read, check who asks, submit. */

#include "routes/submit.h"

#include "fastcgi/fcgi_connection.h"
#include "fastcgi/fcgi_server.h"
#include "fastcgi/fcgi_worker.h"
#include "fastcgi/libfcgi_codec.h"
#include "fetch/body_pipe.h"
#include "message/request_keys.h"
#include "routes/access_log.h"
#include "routes/auth.h"
#include "routes/handoff_request.h"
#include "routes/trace_context.h"

#include <string.h>

static int
read_request(struct exchange *x, struct failure *err)
{
    struct request *r = &x->fetch->request;

    if (x->handoff)
        return handoff_request_read(x, r, err);
    if (strcmp(exchange_method(x), "GET") == 0)
        return request_from_query(r, exchange_query(x), err);
    if (x->body.len == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed");
    return request_from_text(r, x->body.data, x->body.len, err);
}

/* A hand-off comes with the web server's word, and a browser behind it; others with a token. */
static int
check_caller(struct exchange *x, const struct request *r, struct failure *err)
{
    if (x->handoff) /* the browser's own headers are no business of the origin's */
        return 0;
    if (r->forward.count > 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "forward_headers: only a hand-off has a browser's headers to pass on");
    return auth_check(x->server->auth, libfcgi_codec_param(x->codec, "HTTP_AUTHORIZATION"),
                      r->session != NULL ? r->session : "default", err);
}

int
submit_prepared(struct exchange *x, struct curlew_fetch *f)
{
    if (check_caller(x, &f->request, &f->failure) != 0 ||
        (!x->handoff && trace_context_read(x, &f->request, &f->failure) != 0) ||
        engine_submit(x->server->engine, f, fcgi_worker_on_done, x->connection) != 0)
        return -1;
    fcgi_connection_fetch_started(x->connection);
    return 0;
}

static int
start(struct exchange *x, bool stream, struct failure *err)
{
    if (x->server->draining)
        return failure_set(err, ERROR_DRAINING, "the daemon is stopping");
    if ((x->fetch = fetch_new()) == NULL)
        return failure_no_memory(err);
    if (read_request(x, err) != 0)
        return -1;
    buffer_free(&x->body);
    if (stream && body_pipe_open(x->fetch, fcgi_worker_on_notify) != 0)
        return failure_no_memory(err);
    if (submit_prepared(x, x->fetch) == 0)
        return 0;
    *err = x->fetch->failure;
    return -1;
}

static int
take_in(struct exchange *x, bool stream)
{
    struct failure err = { 0 };

    if (start(x, stream, &err) == 0)
        return 0;
    if (x->fetch != NULL)
        access_log_write(x, x->fetch, &err);
    exchange_fail(x, &err);
    return -1;
}

int
submit_fetch(struct exchange *x)
{
    return take_in(x, false);
}

int
submit_stream(struct exchange *x)
{
    return take_in(x, true);
}
