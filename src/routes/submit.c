/* submit.c - from a web server's request to a fetch in flight: read, authorize, submit. */

#include "routes/submit.h"

#include "engine/engine.h"
#include "message/request_json.h"
#include "message/request_query.h"
#include "routes/access_log.h"
#include "routes/auth.h"
#include "routes/handoff_request.h"
#include "routes/route_context.h"
#include "routes/trace_context.h"
#include "routes/upload_request.h"

#include <string.h>

/* What one request may bring of each list. */
static void
set_limits(const struct exchange *x, struct request *r)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);

    r->most = config->limits.request;
    config_snapshot_unref(config);
}

static int
read_request(struct exchange *x, struct failure *err)
{
    struct request *r = &x->fetch->request;

    set_limits(x, r);
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
                           "forward_headers: only a handoff can forward a browser's headers");
    return auth_check(route_context_of(x)->auth, exchange_param(x, "HTTP_AUTHORIZATION"),
                      r->session != NULL ? r->session : "default", err);
}

int
submit_prepared(struct exchange *x, struct curlew_fetch *f)
{
    if (check_caller(x, &f->request, &f->failure) != 0 ||
        trace_context_apply(&f->request, &f->failure) != 0 ||
        (!x->handoff && trace_context_read(x, &f->request, &f->failure) != 0))
        return -1;
    return exchange_fetch(x, f);
}

static int
prepare(struct exchange *x, bool stream, struct failure *err)
{
    if (exchange_check_room(x, err) != 0)
        return -1;
    if ((x->fetch = fetch_new()) == NULL || (stream && exchange_open_stream(x) != 0))
        return failure_no_memory(err);
    x->fetch->head_in_body = x->frames;
    return x->handoff ? handoff_request_load(x, err) : 0;
}

static void
fail(struct exchange *x, const struct failure *err)
{
    if (x->fetch != NULL)
        access_log_write(x, x->fetch, err);
    exchange_fail(x, err);
}

static void
read_body(struct exchange *x)
{
    read_request(x, &x->failure);
    buffer_free(&x->body);
}

static void
start_fetch(struct exchange *x)
{
    if (submit_prepared(x, x->fetch) != 0)
        fail(x, &x->fetch->failure);
}

/*
 * A body of no byte is whole with the request's head, and has no last byte that could wait for the
 * end of the upload: so the head does.
 */
static void
start(struct exchange *x)
{
    if (x->failure.error != ERROR_NONE || upload_request_open(x, &x->failure) != 0)
        fail(x, &x->failure);
    else if (x->uploads && x->fetch->request.upload_length == 0)
        exchange_await_upload(x, start_fetch);
    else
        start_fetch(x);
}

static void
submit(struct exchange *x, bool stream)
{
    struct failure err = { 0 };

    if (prepare(x, stream, &err) != 0 || exchange_read(x, read_body, start, &err) != 0)
        fail(x, &err);
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
