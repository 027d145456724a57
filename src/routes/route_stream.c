/* route_stream.c - POST and GET …/v1/stream: one fetch, passed through as it comes. */

#include "routes/response_headers.h"
#include "routes/routes.h"
#include "routes/submit.h"

void
route_stream_on_request(struct exchange *x)
{
    submit_stream(x);
}

void
route_stream_on_headers(struct exchange *x)
{
    response_headers_write(x);
    x->streaming = x->answered = true;
}

/* With the head sent, the stream itself says how it ended; before that, a failure is a problem. */
void
route_stream_on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    if (x->streaming)
        return;
    if (f->failure.error != ERROR_NONE)
        exchange_fail(x, &f->failure);
    else
        route_stream_on_headers(x);
}
