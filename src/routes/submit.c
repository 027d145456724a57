/* submit.c - from a web server's request to a fetch in flight: read, authorize, submit. */

#include "routes/submit.h"

#include "message/request_json.h"
#include "message/request_query.h"
#include "routes/access_log.h"
#include "routes/auth.h"
#include "routes/handoff_request.h"
#include "routes/route_context.h"
#include "routes/trace_context.h"

#include <string.h>

static int
read_request(struct exchange *x, struct failure *err)
{
    struct request *r = &x->fetch->request;

    if (x->handoff)
        return handoff_request_read(x, r, err);
    if (strcmp(exchange_method(x), "GET") == 0)
        return request_query_read(r, exchange_query(x), err);
    if (x->body.len == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed");
    return request_json_parse(r, x->body.data, x->body.len, err);
}

/* A handoff needs no token: only the web server can set its parameter. */
static int
check_caller(struct exchange *x, const struct request *r, struct failure *err)
{
    if (x->handoff)
        return 0;
    if (r->forward.count > 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "forward_headers: only a hand-off has a browser's headers to pass on");
    return auth_check(route_context_of(x)->auth, exchange_param(x, "HTTP_AUTHORIZATION"),
                      r->session != NULL ? r->session : "default", err);
}

int
submit_prepared(struct exchange *x, struct curlew_fetch *f)
{
    if (check_caller(x, &f->request, &f->failure) != 0 ||
        (!x->handoff && trace_context_read(x, &f->request, &f->failure) != 0))
        return -1;
    return exchange_fetch(x, f);
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
    if (stream && exchange_open_stream(x) != 0)
        return failure_no_memory(err);
    if (submit_prepared(x, x->fetch) == 0)
        return 0;
    *err = x->fetch->failure;
    return -1;
}

static void
submit(struct exchange *x, bool stream)
{
    struct failure err = { 0 };

    if (start(x, stream, &err) == 0)
        return;
    if (x->fetch != NULL)
        access_log_write(x, x->fetch, &err);
    exchange_fail(x, &err);
}

void
submit_fetch(struct exchange *x, const struct exchange_ops *ops)
{
    x->ops = ops;
    submit(x, false);
}

void
submit_stream(struct exchange *x, const struct exchange_ops *ops)
{
    x->ops = ops;
    submit(x, true);
}
