/* prepare.c - before a fetch is sent to its thread: the request is completed and checked. */

#include "engine/prepare.h"

#include "http/request_merge.h"
#include "transfer/egress_hooks.h"
#include "util/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_BYTES_MAX (512 * 1024) /* libcurl takes a megabyte for the whole request head */
#define HEADER_BYTES_MAX  (256 * 1024) /* libcurl leaves out a value of over 300 KiB, in silence */

/* Nothing that the origin and libcurl could read differently: see prepare.h. */
static int
check_framing(const struct request *r, struct failure *err)
{
    const char *method = request_method(r);
    size_t bytes = 0;

    if (strcmp(method, "CONNECT") == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "method: CONNECT is for proxies");
    if (strcmp(method, "HEAD") == 0 && request_has_body(r))
        return failure_set(err, ERROR_BAD_REQUEST, "method: HEAD takes no body");
    for (size_t i = 0; i < r->headers.count; i++) {
        const char *name = r->headers.items[i].name, *value = r->headers.items[i].value;
        size_t field = strlen(name) + (value != NULL ? strlen(value) : 0);

        bytes += field;
        if (field > HEADER_BYTES_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "headers.%.100s: over %d bytes", name,
                               HEADER_BYTES_MAX);
        if (bytes > HEADERS_BYTES_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "headers: over %d bytes together",
                               HEADERS_BYTES_MAX);
        if (strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0)
            return failure_set(err, ERROR_BAD_REQUEST, "headers.%s: follows from the body", name);
    }
    return 0;
}

/* A stream passes through as it is, of any length: limits.response_bytes bounds what is held. */
static void
set_stream_defaults(struct request *r)
{
    if (!(r->set & SET_DECOMPRESS))
        r->decompress = false;
    /*
     * While others use an HTTP/2 connection, libcurl goes on reading for a stopped stream, up to
     * the stream's window, which no option bounds: 20 MB with 8.14, 1 MB with 8.23.
     */
    if (r->http_version == HTTP_AUTO && !request_is_disguised(r))
        r->http_version = HTTP_1_1;
}

/* A transfer with these is not shared. */
static bool
has_credentials(const struct request *r)
{
    return r->auth != AUTH_NONE || r->cookies.count > 0 || r->proxy_auth.user != NULL ||
           request_has_header(r, "authorization") || request_has_header(r, "cookie") ||
           request_has_header(r, "proxy-authorization");
}

/* A session with several proxies lends the next, where the request and its defaults name none. */
static int
lend_proxy(struct curlew_fetch *f)
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

static int
find_session(struct curlew_fetch *f)
{
    const char *name = f->request.session != NULL ? f->request.session : "default";

    if ((f->session = config_snapshot_find_session(f->config, name)) == NULL)
        return failure_set(&f->failure, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"",
                           name);
    return 0;
}

/* The request with its session's defaults. */
static int
complete_request(struct curlew_fetch *f)
{
    struct request *r = &f->request;

    f->own_credentials = has_credentials(r);
    if (f->upload == NULL && request_refuse_upload(r, &f->failure) != 0)
        return -1;
    if (request_merge_defaults(r, &f->session->settings.defaults, &f->failure) != 0 ||
        check_framing(r, &f->failure) != 0)
        return -1;
    if (fetch_try_hold_request(f) != 0)
        return failure_set(&f->failure, ERROR_OVERLOADED,
                           "limits.buffered_bytes: headers and cookies of all fetches, with the "
                           "bodies held, are over %lld bytes",
                           (long long)f->config->limits.buffered_bytes);
    f->method = request_method(r);
    f->sends_body = request_has_body(r);
    f->same_origin = true;
    if (f->pipe != NULL)
        set_stream_defaults(r);
    else if (r->max_body_bytes > f->config->limits.response_bytes)
        r->max_body_bytes = f->config->limits.response_bytes;
    return 0;
}

static int
parse_target(struct curlew_fetch *f)
{
    if (f->request.url == NULL)
        return failure_set(&f->failure, ERROR_BAD_REQUEST, "url: missing");
    if (url_parse(&f->url, f->request.url, &f->failure) != 0)
        return -1;
    f->own_credentials |= f->url.user != NULL || f->url.password != NULL;
    return 0;
}

/* The host of the proxy that the request names, or that its session lends. */
static int
find_proxy(struct curlew_fetch *f)
{
    int port = 0;

    if (lend_proxy(f) != 0)
        return -1;
    if (f->request.proxy == NULL)
        return 0;
    f->proxy_host = url_proxy_host(f->request.proxy, &port, &f->failure);
    return f->proxy_host != NULL ? egress_hooks_check_proxy(f, port) : -1;
}

int
prepare_fetch(struct curlew_fetch *f)
{
    if (find_session(f) != 0 || complete_request(f) != 0 || parse_target(f) != 0 ||
        find_proxy(f) != 0)
        return -1;
    return egress_hooks_check_url(f, &f->url);
}

int
prepare_next_proxy(struct curlew_fetch *f)
{
    free(f->request.proxy);
    free(f->proxy_host);
    f->request.proxy = f->proxy_host = NULL;
    f->proxy_lent = false;
    return find_proxy(f) == 0 ? egress_hooks_check_url(f, &f->url) : -1;
}
