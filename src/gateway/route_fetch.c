/* route_fetch.c - POST and GET …/v1/fetch: one fetch, answered by one envelope. */

#include "gateway/fastcgi.h"
#include "gateway/intake.h"
#include "gateway/routes.h"
#include "message/envelope.h"

#include <string.h>

#define FRAMES "application/vnd.curlew.frames"

void
fetch_serve(struct call *c)
{
    const char *accept = fastcgi_param(c->fastcgi, "HTTP_ACCEPT");

    c->frames = accept != NULL && strstr(accept, FRAMES) != NULL;
    intake_fetch(c);
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
