/* route_stream.c - …/v1/stream, and handoffs: one fetch, passed through as it comes. */

#include "routes/route_stream.h"

#include "routes/access_log.h"
#include "routes/response_headers.h"
#include "routes/submit.h"

static void
on_headers(struct exchange *x)
{
    response_headers_write(x);
    x->streaming = x->answered = true;
}

/* Once the head is sent, the stream shows its end; before that, a failure is a problem document. */
static void
on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    if (x->streaming)
        return;
    if (f->failure.error != ERROR_NONE)
        exchange_fail(x, &f->failure);
    else
        on_headers(x);
}

void
route_stream_on_request(struct exchange *x)
{
    static const struct exchange_ops ops = {
        .on_headers = on_headers,
        .on_fetch_done = on_fetch_done,
        .log_fetch = access_log_fetch_done,
    };

    submit_stream(x, &ops);
}
