/* transfer.c - one hop of a fetch on a libcurl easy handle: its options, and its end. */

#include "transfer/transfer.h"

#include "engine/engine.h"
#include "transfer/connection_options.h"
#include "transfer/connection_pool.h"
#include "transfer/egress_hooks.h"
#include "transfer/impersonate.h"
#include "transfer/response_reader.h"
#include "util/clock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define USER_AGENT "curlew/" CURLEW_VERSION

#define SET(option, value) curl_easy_setopt(f->easy, option, value)

/* -- headers ------------------------------------------------------------- */

static int
add_line(struct curlew_fetch *f, const char *line)
{
    struct curl_slist *lines = curl_slist_append(f->header_lines, line);

    if (lines == NULL)
        return failure_no_memory(&f->failure);
    f->header_lines = lines;
    return 0;
}

/* libcurl's notation: "Name: value", "Name;" for an empty value, "Name:" to leave its own out. */
static int
add_header(struct curlew_fetch *f, const char *name, const char *value)
{
    struct buffer line;
    int rc;

    buffer_init(&line, SIZE_MAX / 2);
    buffer_adds(&line, name);
    buffer_adds(&line, value == NULL ? ":" : *value == '\0' ? ";" : ": ");
    buffer_adds(&line, value == NULL ? "" : value);
    rc = buffer_ok(&line) ? add_line(f, line.data) : failure_no_memory(&f->failure);
    buffer_free(&line);
    return rc;
}

/* What must not follow a redirect to another origin, or outlive the body it speaks of. */
static bool
is_left_out(const struct curlew_fetch *f, const char *name)
{
    if (!f->same_origin &&
        (strcasecmp(name, "authorization") == 0 || strcasecmp(name, "cookie") == 0 ||
         strcasecmp(name, "proxy-authorization") == 0 || strcasecmp(name, "host") == 0))
        return true;
    return !f->sends_body && f->redirects > 0 && strncasecmp(name, "content-", 8) == 0;
}

/*
 * Methods whose request says Content-Length: 0 where there is nothing to send (RFC 9110 section
 * 8.6).
 */
static bool
expects_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

/*
 * libcurl's own Content-Type is a form's, and its Expect a round trip that few origins answer
 * "no".
 */
static int
set_body_headers(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (!request_has_header(r, "content-type") && r->part_count == 0 &&
        add_header(f, "Content-Type", f->sends_body ? r->body_type : NULL) != 0)
        return -1;
    return request_has_header(r, "expect") ? 0 : add_header(f, "Expect", NULL);
}

static int
set_headers(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    for (size_t i = 0; i < r->headers.count; i++) {
        const struct header *p = &r->headers.items[i];

        if (!is_left_out(f, p->name) && add_header(f, p->name, p->value) != 0)
            return -1;
    }
    for (size_t i = 0; f->session->settings.trace_context && i < r->trace.count; i++) {
        const struct header *p = &r->trace.items[i];

        if (!request_has_header(r, p->name) && add_header(f, p->name, p->value) != 0)
            return -1;
    }
    if ((f->sends_body || expects_body(f->method)) && set_body_headers(f) != 0)
        return -1;
    if (f->request.impersonate == NULL)
        SET(CURLOPT_USERAGENT, USER_AGENT);
    SET(CURLOPT_HTTPHEADER, f->header_lines);
    return 0;
}

/* -- method and body ----------------------------------------------------- */

static int
add_mime_part(struct curlew_fetch *f, const struct part *p)
{
    curl_mimepart *part = curl_mime_addpart(f->mime);

    if (part == NULL || curl_mime_name(part, p->name) != CURLE_OK ||
        curl_mime_data(part, p->data, p->size) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (p->filename != NULL && curl_mime_filename(part, p->filename) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (p->content_type != NULL && curl_mime_type(part, p->content_type) != CURLE_OK)
        return failure_no_memory(&f->failure);
    return 0;
}

static int
set_multipart(struct curlew_fetch *f)
{
    if ((f->mime = curl_mime_init(f->easy)) == NULL)
        return failure_no_memory(&f->failure);
    for (size_t i = 0; i < f->request.part_count; i++)
        if (add_mime_part(f, &f->request.parts[i]) != 0)
            return -1;
    SET(CURLOPT_MIMEPOST, f->mime);
    return 0;
}

static int
set_method(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (strcmp(f->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return 0;
    }
    if (f->sends_body && r->part_count > 0) {
        if (set_multipart(f) != 0)
            return -1;
    } else if (f->sends_body || expects_body(f->method)) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(f->sends_body ? r->body_size : 0));
        SET(CURLOPT_POSTFIELDS, f->sends_body ? r->body : "");
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    if (strcmp(f->method, f->sends_body || expects_body(f->method) ? "POST" : "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, f->method);
    return 0;
}

/* -- who we are ---------------------------------------------------------- */

static void
set_credentials(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (r->auth != AUTH_NONE && f->same_origin) {
        SET(CURLOPT_HTTPAUTH, r->auth == AUTH_BASIC    ? (long)CURLAUTH_BASIC
                              : r->auth == AUTH_DIGEST ? (long)CURLAUTH_DIGEST
                                                       : (long)CURLAUTH_BEARER);
        SET(CURLOPT_USERNAME, r->auth_pair.user);
        SET(CURLOPT_PASSWORD, r->auth_pair.password);
        SET(CURLOPT_XOAUTH2_BEARER, r->auth_token);
    } else if (f->url.user != NULL || f->url.password != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, f->url.user != NULL ? f->url.user : "");
        SET(CURLOPT_PASSWORD, f->url.password != NULL ? f->url.password : "");
    }
}

/*
 * collect.c holds the speed between two slices: a tenth of a second's worth each, within
 * libcurl's limits.
 */
static long
slice_of(int64_t bytes_a_second)
{
    int64_t tenth = bytes_a_second / 10;

    return tenth < 1024 ? 1024 : tenth > CURL_MAX_WRITE_SIZE ? CURL_MAX_WRITE_SIZE : (long)tenth;
}

static void
set_limits(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    /* 0 would mean libcurl's own five minutes, and there is no "never" */
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        r->connect_timeout_ms > 0 ? (long)r->connect_timeout_ms : 24 * 3600 * 1000L);
    /*
     * The pool sees to it: libcurl would judge the connections of all sessions by this one's
     * age.
     */
    SET(CURLOPT_MAXAGE_CONN, INT_MAX / 1000L);
    if (r->max_recv_speed > 0)
        SET(CURLOPT_BUFFERSIZE, slice_of(r->max_recv_speed));
    SET(CURLOPT_QUICK_EXIT, 1L); /* a cancelled look-up must not hold the session thread */
    SET(CURLOPT_NOSIGNAL, 1L);
}

/* Whose cookies they are: libcurl goes by the Host field, where the caller gives one. */
static void
find_cookie_host(const struct curlew_fetch *f, char *host, size_t size)
{
    const struct headers *p = &f->request.headers;

    snprintf(host, size, "%s", f->url.host);
    for (size_t i = 0; i < p->count && f->same_origin; i++)
        if (strcasecmp(p->items[i].name, "host") == 0 && p->items[i].value != NULL)
            snprintf(host, size, "%.*s", (int)strcspn(p->items[i].value, ":"), p->items[i].value);
}

static int
set_cookies(struct curlew_fetch *f)
{
    struct session *s = f->session;
    bool first = f->redirects == 0 && f->response.attempts == 1;
    char host[256];

    find_cookie_host(f, host, sizeof host);
    if (first)
        cookie_jar_enable(f->easy); /* later the handle's own engine goes on */
    if (cookie_jar_export(s->settings.shared_jar ? s->state->jar : NULL, f->easy, host,
                          &f->exported_cookies) != 0)
        return failure_no_memory(&f->failure);
    if (first && cookie_jar_add_request_cookies(f->easy, &f->request.cookies, host) != 0)
        return failure_set(&f->failure, ERROR_BAD_REQUEST,
                           "cookies: one is longer than libcurl takes");
    return 0;
}

int
transfer_prepare(struct curlew_fetch *f)
{
    CURLcode rc = CURLE_OK;

    curl_easy_reset(f->easy); /* but for connections and cookies */
    f->curl_error[0] = '\0';
    f->head_bytes = 0;
    f->folds = 0;
    f->requested = f->challenged = false;
    if (impersonate_apply(f) != 0)
        return -1;
    rc = SET(CURLOPT_URL, f->url.text);
    SET(CURLOPT_PRIVATE, f);
    SET(CURLOPT_ERRORBUFFER, f->curl_error);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    if (!f->request.decompress)
        SET(CURLOPT_ACCEPT_ENCODING, NULL);
    else if (f->request.impersonate == NULL) /* a browser's own offer is part of its face */
        SET(CURLOPT_ACCEPT_ENCODING, "");
    response_reader_attach(f);
    egress_hooks_attach(f);
    connection_pool_attach(f);
    set_limits(f);
    set_credentials(f);
    if (rc != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (connection_options_set(f) || set_cookies(f) || set_method(f) || set_headers(f))
        return -1;
    return 0;
}

void
transfer_release(struct curlew_fetch *f)
{
    curl_slist_free_all(f->header_lines);
    f->header_lines = NULL;
    curl_mime_free(f->mime);
    f->mime = NULL;
}
