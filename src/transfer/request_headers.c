/* request_headers.c - the header lines of a hop's request. */

#include "transfer/request_headers.h"

#include "coding/content_coding.h"
#include "libcurl/impersonate_targets.h"
#include "transfer/connection_pool.h"
#include "transfer/hop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SET(option, value) hop_set(f->hop, option, value)

static int
add_header(struct curlew_fetch *f, const char *name, const char *value)
{
    return header_lines_add(&f->hop->header_lines, name, value) == 0
               ? 0
               : failure_no_memory(&f->failure);
}

/* They are about our connection to the origin, or ask for what we could not read. */
static bool
is_of_connection(const char *name)
{
    static const char *const names[] = { "connection", "upgrade", "http2-settings", "te",
                                         "trailer" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* They describe the client to every origin (RFC 9110 sections 10.1.5 and 12.5). */
static bool
is_of_client(const char *name)
{
    static const char *const names[] = { "user-agent", "accept", "accept-charset",
                                         "accept-encoding", "accept-language" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Credentials of the request's own stay with the first origin, and so does every Host. */
static bool
stays_behind(const struct curlew_fetch *f, size_t i)
{
    const struct header *h = &f->request.headers.items[i];

    if (!f->same_origin && strcasecmp(h->name, "host") == 0)
        return true;
    if (request_is_lent_header(&f->request, i))
        return h->value != NULL && !is_of_client(h->name) && !fetch_may_lend(f);
    return !f->same_origin && (strcasecmp(h->name, "authorization") == 0 ||
                               strcasecmp(h->name, "proxy-authorization") == 0);
}

/* A 100 (Continue) is for content only (RFC 9110 section 10.1.1). */
static bool
is_of_body(const struct curlew_fetch *f, const char *name)
{
    return strcasecmp(name, "expect") == 0 ||
           (f->redirects > 0 && strncasecmp(name, "content-", 8) == 0);
}

/*
 * Fields about the body stay with the body.  Cookies go by hop_cookies_send().  Without the
 * session's Host, the URL's is sent: HTTP/1.1 demands one (RFC 9112 section 3.2).
 */
static bool
is_left_out(const struct curlew_fetch *f, size_t i)
{
    const struct header *h = &f->request.headers.items[i];

    if (strcasecmp(h->name, "cookie") == 0 || is_of_connection(h->name) || stays_behind(f, i))
        return true;
    if (h->value == NULL && strcasecmp(h->name, "host") == 0)
        return true;
    return !f->sends_body && is_of_body(f, h->name);
}

/* Given or removed, for this hop. */
static bool
has_header(const struct curlew_fetch *f, const char *name)
{
    const struct headers *h = &f->request.headers;

    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, name) == 0 && !is_left_out(f, i))
            return true;
    return false;
}

bool
request_headers_want_length(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

/*
 * A browser's headers have an order.  libcurl-impersonate knows the place of those that libcurl
 * writes itself, such as a form's Content-Type; those of a list follow all others.
 */
static bool
is_left_to_libcurl(const struct curlew_fetch *f, const char *name, const char *value)
{
    if (f->request.impersonate == NULL || value == NULL)
        return false;
    return strcasecmp(name, "referer") == 0 ||
           (strcasecmp(name, "content-type") == 0 && f->sends_body && f->request.part_count == 0 &&
            strcasecmp(value, "application/x-www-form-urlencoded") == 0);
}

/* libcurl's own Content-Type is a form's, and its Expect costs a round trip for nothing. */
static int
set_body_headers(struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    const char *type = f->sends_body ? r->body_type : NULL;

    if (!has_header(f, "content-type") && r->part_count == 0 &&
        !is_left_to_libcurl(f, "content-type", type) && add_header(f, "Content-Type", type) != 0)
        return -1;
    return has_header(f, "expect") ? 0 : add_header(f, "Expect", NULL);
}

/* A libcurl-impersonate has none of its own. */
static int
set_accept(struct curlew_fetch *f)
{
    if (request_is_disguised(&f->request) || impersonate_targets_function() == NULL ||
        has_header(f, "accept"))
        return 0;
    return add_header(f, "Accept", "*/*");
}

/* Where the request names none; a browser's is among the headers that libcurl sends itself. */
static int
set_accept_encoding(struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    bool browser = r->impersonate != NULL && r->default_headers;

    if (!r->decompress || browser || has_header(f, "accept-encoding"))
        return 0;
    return add_header(f, "Accept-Encoding", CONTENT_CODING_ACCEPT);
}

/* No browser has these. */
static int
add_trace(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    for (size_t i = 0; i < r->trace.count; i++) {
        const struct header *h = &r->trace.items[i];

        if (!has_header(f, h->name) && add_header(f, h->name, h->value) != 0)
            return -1;
    }
    return 0;
}

int
request_headers_set(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (set_accept(f) != 0 || set_accept_encoding(f) != 0)
        return -1;
    for (size_t i = 0; i < r->headers.count; i++) {
        const struct header *h = &r->headers.items[i];

        if (is_left_out(f, i))
            continue;
        if (is_left_to_libcurl(f, h->name, h->value)) {
            if (strcasecmp(h->name, "referer") == 0)
                SET(CURLOPT_REFERER, h->value);
        } else if (add_header(f, h->name, h->value) != 0)
            return -1;
    }
    if (f->session->settings.trace_context && !request_is_disguised(r) && add_trace(f) != 0)
        return -1;
    if ((f->sends_body || request_headers_want_length(f->method)) && set_body_headers(f) != 0)
        return -1;
    SET(CURLOPT_HTTPHEADER, header_lines_list(&f->hop->header_lines));
    return 0;
}

bool
request_headers_end_expectation(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (!f->sends_body || !header_lines_has(&hop->header_lines, "expect"))
        return false;
    if (!hop->continued && connection_pool_was_http1(hop->pool, hop->conn_id))
        hop_set(hop, CURLOPT_FORBID_REUSE, 1L);
    if (f->response.head.status != 417)
        return false;
    header_lines_leave_out(&hop->header_lines, "expect");
    return true;
}
