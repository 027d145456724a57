/* fetch_response.c - a fetch's result as a piece of the response: an envelope or a frame. */

#include "routes/fetch_response.h"

#include "http/media_type.h"
#include "message/envelope.h"

void
fetch_response_choose_format(struct exchange *x)
{
    const char *accept = exchange_param(x, "HTTP_ACCEPT");

    x->frames = accept != NULL && media_type_is_accepted(accept, FETCH_RESPONSE_FRAMES);
}

static int
write_frame(struct exchange *x)
{
    const struct curlew_fetch *f = x->fetch;

    if (envelope_write_head(&x->prefix, &f->request, &f->response, f->index) != 0)
        return -1;
    buffer_addc(&x->prefix, '\n');
    x->middle = f->response.body.data;
    x->middle_len = f->response.body.len;
    x->suffix = "\n";
    x->suffix_len = 1;
    return buffer_ok(&x->prefix) ? 0 : -1;
}

int
fetch_response_write(struct exchange *x, struct failure *err)
{
    const struct curlew_fetch *f = x->fetch;

    if (x->frames)
        return write_frame(x) == 0 ? 0 : failure_no_memory(err);
    if (envelope_write(&x->prefix, &f->request, &f->response, f->index) != 0)
        return failure_no_memory(err);
    return exchange_account_prefix(x, err);
}

void
fetch_response_begin(struct exchange *x, const char *type)
{
    buffer_printf(&x->head,
                  "Status: 200 OK\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
                  "X-Accel-Buffering: no\r\n\r\n",
                  type);
}
