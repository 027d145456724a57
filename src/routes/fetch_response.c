/* fetch_response.c - what a fetch came to, as a piece of an answer: an envelope or a frame. */

#include "routes/fetch_response.h"

#include "fastcgi/libfcgi_codec.h"
#include "message/envelope.h"

#include <string.h>

void
fetch_response_choose_format(struct exchange *c)
{
    const char *accept = libfcgi_codec_param(c->codec, "HTTP_ACCEPT");

    c->frames = accept != NULL && strstr(accept, FETCH_RESPONSE_FRAMES) != NULL;
}

static int
write_frame(struct exchange *c)
{
    const struct curlew_fetch *f = c->fetch;

    if (envelope_write_head(&c->prefix, &f->request, &f->response, f->index) != 0)
        return -1;
    buffer_addc(&c->prefix, '\n');
    c->middle = f->response.body.data;
    c->middle_len = f->response.body.len;
    c->suffix = "\n";
    c->suffix_len = 1;
    return buffer_ok(&c->prefix) ? 0 : -1;
}

int
fetch_response_write(struct exchange *c)
{
    const struct curlew_fetch *f = c->fetch;

    if (c->frames)
        return write_frame(c);
    if (envelope_write(&c->prefix, &f->request, &f->response, f->index) != 0)
        return -1;
    exchange_account_prefix(c);
    return 0;
}
