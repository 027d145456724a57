/* route_stream.c - …/v1/stream, and handoffs: one fetch, passed through as it comes. */

#include "routes/route_stream.h"

#include "message/envelope.h"
#include "routes/access_log.h"
#include "routes/fetch_response.h"
#include "routes/response_headers.h"
#include "routes/submit.h"

/* In frames, the origin's head is the first line of the body. */
static void
write_frames_head(struct exchange *x)
{
    const struct curlew_fetch *f = x->fetch;

    fetch_response_begin(x, FETCH_RESPONSE_FRAMES);
    envelope_write_stream_head(&x->prefix, &f->request, &f->response);
    buffer_addc(&x->prefix, '\n');
    x->head.failed |= !buffer_ok(&x->prefix);
}

/* Without memory for the head, the fetch's end is waited for, whatever that is. */
static void
on_headers(struct exchange *x)
{
    if (!buffer_ok(&x->head))
        return;
    if (x->frames)
        write_frames_head(x);
    else
        response_headers_write(x);
    if (buffer_ok(&x->head))
        x->streaming = x->answered = true;
    else
        exchange_cancel(x);
}

/*
 * In frames a failure behind the head comes behind it also where both are seen in one turn, so that
 * a client does not find it now in the response and now in the body.
 */
static bool
has_head(const struct exchange *x, const struct curlew_fetch *f)
{
    return f->failure.error == ERROR_NONE || (x->frames && body_pipe_has_head(f->pipe));
}

/* Once the head is sent, the stream shows its end; before that, a failure is a problem document. */
static void
on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    struct failure err = { 0 };

    if (x->streaming)
        return;
    if (has_head(x, f))
        on_headers(x);
    if (!buffer_ok(&x->head)) {
        buffer_free(&x->head);
        failure_no_memory(&err);
        exchange_fail(x, &err);
    } else if (!x->streaming) {
        exchange_fail_fetch(x, &f->failure);
    }
}

void
route_stream_on_request(struct exchange *x)
{
    static const struct exchange_ops ops = {
        .on_headers = on_headers,
        .on_fetch_done = on_fetch_done,
        .log_fetch = access_log_fetch_done,
    };

    if (!x->handoff) /* what a browser accepts is no matter of ours */
        fetch_response_choose_format(x);
    submit_stream(x, &ops);
}
