/* prepare.c - the door of the engine: a fetch is completed, checked, and sent to its thread. */

#include "engine/engine.h"
#include "engine/engine_worker.h"
#include "http/request_merge.h"
#include "transfer/egress_hooks.h"
#include "util/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_BYTES_MAX (512 * 1024) /* libcurl takes a megabyte for the whole request head */
#define COOKIES_MAX      150          /* as many as libcurl sends */

/*
 * Connections are shared by strangers, so nothing may be said that makes the
 * origin and libcurl disagree about where a message ends.
 */
static int
check_framing(const struct request *r, struct failure *err)
{
    const char *method = request_method(r);
    size_t bytes = 0;

    if (strcmp(method, "CONNECT") == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "method: CONNECT is for proxies");
    if (strcmp(method, "HEAD") == 0 && (r->body != NULL || r->part_count > 0))
        return failure_set(err, ERROR_BAD_REQUEST, "method: HEAD takes no body");
    for (size_t i = 0; i < r->headers.count; i++) {
        const char *name = r->headers.items[i].name, *value = r->headers.items[i].value;

        bytes += strlen(name) + (value != NULL ? strlen(value) : 0);
        if (bytes > HEADER_BYTES_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "headers: over %d bytes together",
                               HEADER_BYTES_MAX);

        if (strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0)
            return failure_set(err, ERROR_BAD_REQUEST, "headers.%s: follows from the body", name);
    }
    return 0;
}

/* A stream passes through as it is, however long: limits.response_bytes is for what is held. */
static void
suit_stream(struct request *r)
{
    if (!(r->set & SET_DECOMPRESS))
        r->decompress = false;
    /* Over HTTP/2 libcurl goes on to read for a paused stream, up to a window of 32 MB. */
    if (r->http_version == HTTP_AUTO)
        r->http_version = HTTP_1_1;
}

/* A transfer with these is its caller's alone. */
static bool
has_credentials(const struct request *r)
{
    return r->auth != AUTH_NONE || r->cookies.count > 0 || r->proxy_auth.user != NULL ||
           request_has_header(r, "authorization") || request_has_header(r, "cookie") ||
           request_has_header(r, "proxy-authorization");
}

/*
 * Where neither the request nor its session names one proxy, a session with several lends the
 * next.
 */
static int
take_turn(struct curlew_fetch *f)
{
    const char *next;

    if (f->request.proxy != NULL || (f->request.set & SET_PROXY))
        return 0;
    if ((next = proxy_pool_next(f->session->proxy_pool, clock_us())) == NULL)
        return 0;
    if ((f->request.proxy = strdup(next)) == NULL)
        return failure_no_memory(&f->failure);
    f->proxy_lent = true;
    return 0;
}

int
engine_change_proxy(struct curlew_fetch *f)
{
    free(f->request.proxy);
    free(f->proxy_host);
    f->request.proxy = f->proxy_host = NULL;
    f->proxy_lent = false;
    if (take_turn(f) != 0)
        return -1;
    if (f->request.proxy != NULL &&
        (f->proxy_host = url_proxy_host(f->request.proxy, &f->failure)) == NULL)
        return -1;
    return egress_hooks_check_url(f, &f->url);
}

/* What libcurl would leave out without a word. */
static int
check_cookies(const struct cookies *c, const struct url *u, struct failure *err)
{
    if (c->count > COOKIES_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "cookies: at most %d", COOKIES_MAX);
    for (size_t i = 0; i < c->count && strcmp(u->scheme, "http") == 0; i++)
        if (strncasecmp(c->items[i].name, "__Secure-", 9) == 0 ||
            strncasecmp(c->items[i].name, "__Host-", 7) == 0)
            return failure_set(err, ERROR_BAD_REQUEST, "cookies.%.80s: only for https URLs",
                               c->items[i].name);
    return 0;
}

static int
complete_request(struct curlew_fetch *f)
{
    struct request *r = &f->request;
    const char *name = r->session != NULL ? r->session : "default";

    if ((f->session = config_snapshot_find_session(f->config, name)) == NULL)
        return failure_set(&f->failure, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"",
                           name);
    f->own_credentials = has_credentials(r);
    if (request_merge_defaults(r, &f->session->settings.defaults, &f->failure) != 0 ||
        check_framing(r, &f->failure) != 0)
        return -1;
    f->method = request_method(r);
    f->names_host = request_has_header(r, "host");
    if (f->pipe != NULL)
        suit_stream(r);
    else if (r->max_body_bytes > f->config->limits.response_bytes)
        r->max_body_bytes = f->config->limits.response_bytes;
    if (r->url == NULL)
        return failure_set(&f->failure, ERROR_BAD_REQUEST, "url: missing");
    if (url_parse(&f->url, r->url, &f->failure) != 0)
        return -1;
    f->own_credentials |= f->url.user != NULL || f->url.password != NULL;
    if (take_turn(f) != 0)
        return -1;
    if (r->proxy != NULL && (f->proxy_host = url_proxy_host(r->proxy, &f->failure)) == NULL)
        return -1;
    if (check_cookies(&r->cookies, &f->url, &f->failure) != 0)
        return -1;
    return egress_hooks_check_url(f, &f->url);
}

int
engine_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg)
{
    fetch_reset(f); /* it may have been refused, or done, before */
    if (c->draining)
        return failure_set(&f->failure, ERROR_DRAINING, "the daemon is stopping");
    f->engine = c;
    f->config = engine_snapshot(c);
    if (complete_request(f) != 0) {
        if (f->session != NULL)
            counter_add(&f->session->state->outcomes[f->failure.error], 1);
        return -1;
    }
    f->done = done;
    f->arg = arg;
    f->sends_body = f->request.body != NULL || f->request.part_count > 0;
    f->same_origin = true;
    f->response.attempts = 1;
    f->submitted_us = f->posted_us = clock_us();
    engine_worker_post(engine_worker_for(c, f->url.origin), f);
    return 0;
}

void
curlew_cancel(struct curlew_fetch *f)
{
    struct engine_worker *home;

    if (atomic_exchange(&f->cancelled, true))
        return;
    if ((home = f->home) != NULL)
        engine_worker_cancel(home, fetch_ref(f));
}
