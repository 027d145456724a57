/* fetch.c - one fetch: what was asked, where it stands, what came back. */

#include "fetch/fetch.h"

#include "engine/engine.h"
#include "fetch/body_pipe.h"

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
    list_init(&f->sockets);
    list_init(&f->followers);
    list_init(&f->shared);
    return f;
}

struct curlew_fetch *
fetch_ref(struct curlew_fetch *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void
fetch_reset(struct curlew_fetch *f)
{
    if (f->buffered > 0)
        body_account_subtract(f->config->bodies, f->buffered);
    f->buffered = 0;
    response_destroy(&f->response);
    url_destroy(&f->url);
    free(f->proxy_host);
    f->proxy_host = NULL;
    headers_destroy(&f->cookie_names);
    config_snapshot_unref(f->config);
    f->config = NULL;
    f->session = NULL;
    if (f->proxy_lent) {
        free(f->request.proxy);
        f->request.proxy = NULL;
    }
    f->proxy_lent = f->challenged = f->again = f->fresh = f->probe = false;
    f->redirects = 0;
    f->failure = (struct failure){ 0 };
}

void
fetch_unref(struct curlew_fetch *f)
{
    if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    fetch_reset(f);
    body_pipe_free(f->pipe);
    request_destroy(&f->request);
    free(f);
}

bool
fetch_proxy_failed(const struct curlew_fetch *f)
{
    return f->proxy_lent && f->failure.error == ERROR_PROXY_FAILED;
}
