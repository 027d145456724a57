/* route_stream.c - POST and GET …/v1/stream: one fetch, passed through as it comes. */

#include "routes/response_headers.h"
#include "routes/routes.h"
#include "routes/submit.h"

void
route_stream_on_request(struct exchange *c)
{
    submit_stream(c);
}

void
route_stream_on_headers(struct exchange *c)
{
    response_headers_write(c);
    c->streaming = c->answered = true;
}

/* With the head sent, the stream itself says how it ended; before that, a failure is a problem. */
void
route_stream_on_fetch_done(struct exchange *c, struct curlew_fetch *f)
{
    if (c->streaming)
        return;
    if (f->failure.error != ERROR_NONE)
        exchange_fail(c, &f->failure);
    else
        route_stream_on_headers(c);
}
