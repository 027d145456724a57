/* route_fetch.c - POST and GET …/v1/fetch: one fetch, answered by one envelope. */

#include "gateway/access.h"
#include "gateway/auth.h"
#include "gateway/fastcgi.h"
#include "gateway/gateway.h"
#include "gateway/responder.h"
#include "gateway/routes.h"
#include "message/envelope.h"
#include "message/request.h"

#include <string.h>

#define FRAMES "application/vnd.curlew.frames"

static int
read_request(struct call *c, struct failure *why)
{
    struct request *r = &c->fetch->request;

    if (strcmp(call_method(c), "GET") == 0)
        return request_from_query(r, call_query(c), why);
    if (c->body.len == 0)
        return failure_set(why, ERROR_BAD_REQUEST, "the body is empty: a request object is needed");
    return request_from_text(r, c->body.data, c->body.len, why);
}

static int
submit(struct call *c, struct failure *why)
{
    const char *accept = fastcgi_param(c->fastcgi, "HTTP_ACCEPT");
    const struct request *r;

    c->frames = accept != NULL && strstr(accept, FRAMES) != NULL;
    if (c->gateway->draining)
        return failure_set(why, ERROR_DRAINING, "the daemon is stopping");
    if ((c->fetch = fetch_new()) == NULL)
        return failure_set(why, ERROR_INTERNAL, "out of memory");
    r = &c->fetch->request;
    if (read_request(c, why) != 0)
        return -1;
    if (auth_check(c->gateway->auth, fastcgi_param(c->fastcgi, "HTTP_AUTHORIZATION"),
                   r->session != NULL ? r->session : "default", why) != 0)
        return -1;
    buffer_free(&c->body);
    if (engine_submit(c->gateway->engine, c->fetch, responder_done, c->connection) == 0)
        return 0;
    *why = c->fetch->failure;
    return -1;
}

void
fetch_serve(struct call *c)
{
    struct failure why = { 0 };

    if (submit(c, &why) == 0)
        return;
    if (c->fetch != NULL)
        access_log(c, &why);
    call_fail(c, &why);
}

/* -- the answer ---------------------------------------------------------- */

static int
write_frame(struct call *c)
{
    const struct curlew_fetch *f = c->fetch;

    if (envelope_write_head(&c->prefix, &f->request, &f->response, -1) != 0)
        return -1;
    buffer_addc(&c->prefix, '\n');
    c->middle = f->response.body.data;
    c->middle_len = f->response.body.len;
    c->suffix = "\n";
    c->suffix_len = 1;
    return buffer_ok(&c->prefix) ? 0 : -1;
}

void
fetch_fetched(struct call *c)
{
    const struct curlew_fetch *f = c->fetch;
    struct failure why = f->failure;
    int rc = 0;

    if (why.error == ERROR_NONE)
        rc = c->frames ? write_frame(c) : envelope_write(&c->prefix, &f->request, &f->response, -1);
    if (!c->frames)
        call_account_prefix(c);
    if (rc != 0)
        failure_set(&why, ERROR_INTERNAL, "out of memory");
    if (why.error != ERROR_NONE)
        call_fail(c, &why);
    else
        call_answer(c, 200, c->frames ? FRAMES : "application/json");
}
