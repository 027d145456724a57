/* fetch.c - one fetch: what was asked, where it stands, what came back. */

#include "session/fetch.h"

#include "session/engine.h"
#include "session/stream.h"

#include <stdlib.h>

struct curlew_fetch *
fetch_new(void)
{
    struct curlew_fetch *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    f->refs = 1;
    request_init(&f->request);
    response_init(&f->response);
    list_init(&f->place);
    list_init(&f->kin);
    f->index = -1;
    return f;
}

struct curlew_fetch *
fetch_ref(struct curlew_fetch *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void
fetch_unref(struct curlew_fetch *f)
{
    if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    if (f->buffered > 0)
        counter_add(&f->engine->stats.buffered, -f->buffered);
    request_destroy(&f->request);
    response_destroy(&f->response);
    stream_free(f->stream);
    url_destroy(&f->url);
    free(f->proxy_host);
    pairs_destroy(&f->cookie_names);
    policy_unref(f->policy);
    free(f);
}

const char *
fetch_method(const struct request *r)
{
    if (r->method != NULL)
        return r->method;
    return r->body != NULL || r->part_count > 0 ? "POST" : "GET";
}
