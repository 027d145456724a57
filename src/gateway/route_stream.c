/* route_stream.c - POST and GET …/v1/stream: one fetch, passed through as it comes. */

#include "gateway/headers.h"
#include "gateway/intake.h"
#include "gateway/routes.h"

void
stream_route_serve(struct exchange *c)
{
    intake_stream(c);
}

void
stream_route_begun(struct exchange *c)
{
    headers_pass(c);
    c->streaming = c->answered = true;
}

/* With the head sent, the stream itself says how it ended; before that, a failure is a problem. */
void
stream_route_fetched(struct exchange *c, struct curlew_fetch *f)
{
    if (c->streaming)
        return;
    if (f->failure.error != ERROR_NONE)
        exchange_fail(c, &f->failure);
    else
        stream_route_begun(c);
}
