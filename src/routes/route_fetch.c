/* route_fetch.c - POST and GET …/v1/fetch: one fetch, and its envelope. */

#include "routes/route_fetch.h"

#include "routes/access_log.h"
#include "routes/fetch_response.h"
#include "routes/submit.h"

static void
write_envelope(struct exchange *x)
{
    if (fetch_response_write(x, &x->failure) != 0)
        exchange_clear_piece(x);
}

static void
respond(struct exchange *x)
{
    if (x->failure.error != ERROR_NONE)
        exchange_fail_fetch(x, &x->failure);
    else
        exchange_respond(x, 200, x->frames ? FETCH_RESPONSE_FRAMES : "application/json");
}

/* A frame has the body as it is. */
static void
on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    if (f->failure.error != ERROR_NONE)
        exchange_fail_fetch(x, &f->failure);
    else
        exchange_write(x, x->frames ? 0 : f->response.body.len, write_envelope, respond);
}

void
route_fetch_on_request(struct exchange *x)
{
    static const struct exchange_ops ops = {
        .on_fetch_done = on_fetch_done,
        .log_fetch = access_log_fetch_done,
    };

    fetch_response_choose_format(x);
    submit_fetch(x, &ops);
}
