/* transfer.c - one hop of a fetch on a libcurl easy handle: its options, and its end. */

#include "transfer/transfer.h"

#include "transfer/connection_options.h"
#include "transfer/content_coding.h"
#include "transfer/egress_hooks.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/impersonate.h"
#include "transfer/response_reader.h"
#include "util/clock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SET(option, value) curl_easy_setopt(f->hop->easy, option, value)

/* -- headers ------------------------------------------------------------- */

static int
add_line(struct curlew_fetch *f, const char *line)
{
    struct curl_slist *lines = curl_slist_append(f->hop->header_lines, line);

    if (lines == NULL)
        return failure_no_memory(&f->failure);
    f->hop->header_lines = lines;
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

/*
 * Credentials stay with the first origin, and fields about the body with the body.  Cookies go by
 * hop_cookies_send().
 */
static bool
is_left_out(const struct curlew_fetch *f, const char *name)
{
    if (strcasecmp(name, "cookie") == 0 || is_of_connection(name))
        return true;
    if (!f->same_origin &&
        (strcasecmp(name, "authorization") == 0 || strcasecmp(name, "proxy-authorization") == 0 ||
         strcasecmp(name, "host") == 0))
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

/* libcurl's own Content-Type is a form's, and its Expect costs a round trip for nothing. */
static int
set_body_headers(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (!request_has_header(r, "content-type") && r->part_count == 0 &&
        add_header(f, "Content-Type", f->sends_body ? r->body_type : NULL) != 0)
        return -1;
    return request_has_header(r, "expect") ? 0 : add_header(f, "Expect", NULL);
}

/* Where the request names none; a browser's is among the headers that libcurl sends itself. */
static int
set_accept_encoding(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (!r->decompress || r->impersonate != NULL || request_has_header(r, "accept-encoding"))
        return 0;
    return add_header(f, "Accept-Encoding", CONTENT_CODING_ACCEPT);
}

static int
set_headers(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (set_accept_encoding(f) != 0)
        return -1;
    for (size_t i = 0; i < r->headers.count; i++) {
        const struct header *h = &r->headers.items[i];

        if (!is_left_out(f, h->name) && add_header(f, h->name, h->value) != 0)
            return -1;
    }
    for (size_t i = 0; f->session->settings.trace_context && i < r->trace.count; i++) {
        const struct header *h = &r->trace.items[i];

        if (!request_has_header(r, h->name) && add_header(f, h->name, h->value) != 0)
            return -1;
    }
    if ((f->sends_body || expects_body(f->method)) && set_body_headers(f) != 0)
        return -1;
    SET(CURLOPT_HTTPHEADER, f->hop->header_lines);
    return 0;
}

/* -- method and body ----------------------------------------------------- */

static int
add_mime_part(struct curlew_fetch *f, const struct part *part)
{
    curl_mimepart *mime = curl_mime_addpart(f->hop->mime);

    if (mime == NULL || curl_mime_name(mime, part->name) != CURLE_OK ||
        curl_mime_data(mime, part->data, part->size) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (part->filename != NULL && curl_mime_filename(mime, part->filename) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (part->content_type != NULL && curl_mime_type(mime, part->content_type) != CURLE_OK)
        return failure_no_memory(&f->failure);
    return 0;
}

static int
set_multipart(struct curlew_fetch *f)
{
    if ((f->hop->mime = curl_mime_init(f->hop->easy)) == NULL)
        return failure_no_memory(&f->failure);
    for (size_t i = 0; i < f->request.part_count; i++)
        if (add_mime_part(f, &f->request.parts[i]) != 0)
            return -1;
    SET(CURLOPT_MIMEPOST, f->hop->mime);
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

/* -- credentials --------------------------------------------------------- */

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

/* Bytes that go out keep the idle timeout away; no other callback of libcurl's tells of them. */
static int
on_progress(void *arg, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
            curl_off_t sent)
{
    struct curlew_fetch *f = arg;

    (void)to_receive, (void)received, (void)to_send;
    if (sent != f->sent) {
        f->sent = sent;
        f->active_us = clock_us();
    }
    return 0;
}

static void
watch_upload(struct curlew_fetch *f)
{
    if (!f->sends_body || f->request.idle_timeout_ms == 0)
        return;
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, f);
    SET(CURLOPT_NOPROGRESS, 0L);
}

/* response_reader.c pauses between slices: each is a tenth of a second's, in libcurl's limits. */
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
    /* connection_pool does it: libcurl would apply this session's age to all connections. */
    SET(CURLOPT_MAXAGE_CONN, INT_MAX / 1000L);
    if (r->max_recv_speed > 0)
        SET(CURLOPT_BUFFERSIZE, slice_of(r->max_recv_speed));
    SET(CURLOPT_QUICK_EXIT, 1L); /* a cancelled look-up must not hold the engine thread */
    SET(CURLOPT_NOSIGNAL, 1L);
}

/*
 * libcurl 8.14 leaves an empty query out.  A plain request through an HTTP proxy names the whole
 * URL (RFC 9112 section 3.2.2); a SOCKS proxy sees none of it.
 */
static int
set_request_target(struct curlew_fetch *f)
{
    const char *proxy = f->request.proxy;
    bool absolute =
        proxy != NULL && strncasecmp(proxy, "socks", 5) != 0 && strcmp(f->url.scheme, "http") == 0;
    char *target;

    if (f->url.text[strlen(f->url.text) - 1] != '?')
        return 0;
    if (asprintf(&target, "%s?", f->url.path) < 0)
        return failure_no_memory(&f->failure);
    SET(CURLOPT_REQUEST_TARGET, absolute ? f->url.text : target); /* libcurl copies it */
    free(target);
    return 0;
}

int
transfer_prepare(struct curlew_fetch *f, const struct transfer_setup *setup)
{
    struct hop *hop = f->hop;
    CURLcode rc = CURLE_OK;

    curl_easy_reset(hop->easy); /* but for connections */
    hop->curl_error[0] = '\0';
    hop->head_bytes = 0;
    hop->folds = 0;
    hop->conn_id = 0;
    hop->expects_head = hop->in_head = hop->has_head = false;
    hop->requested = hop->challenged = hop->restart = false;
    hop->restarts = 0;
    if (impersonate_apply(f) != 0)
        return -1;
    rc = SET(CURLOPT_URL, f->url.text);
    SET(CURLOPT_PRIVATE, f);
    SET(CURLOPT_ERRORBUFFER, f->hop->curl_error);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_ACCEPT_ENCODING, NULL); /* content_coding.h undoes them */
    if (f->request.impersonate == NULL)
        SET(CURLOPT_USERAGENT, setup->user_agent);
    response_reader_attach(f, setup->events);
    egress_hooks_attach(f);
    connection_pool_attach(f, setup->pool);
    set_limits(f);
    watch_upload(f);
    set_credentials(f);
    if (rc != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (connection_options_set(f) || hop_cookies_send(f) || set_request_target(f) ||
        set_method(f) || set_headers(f))
        return -1;
    return 0;
}

int
transfer_start(struct curlew_fetch *f, CURLM *multi)
{
    if (curl_multi_add_handle(multi, f->hop->easy) != CURLM_OK)
        return failure_set(&f->failure, ERROR_INTERNAL, "libcurl took no further transfer");
    return 0;
}

int
transfer_stop(struct curlew_fetch *f, CURLM *multi)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    curl_easy_getinfo(f->hop->easy, CURLINFO_ACTIVESOCKET, &fd);
    curl_multi_remove_handle(multi, f->hop->easy);
    return fd;
}

bool
transfer_must_restart(const struct curlew_fetch *f)
{
    return f->hop->restart && f->failure.error == ERROR_NONE;
}

/* Where many wait for one HTTP/2 connection, let them share the next, too, at first. */
int
transfer_restart(struct curlew_fetch *f, CURLM *multi)
{
    struct hop *hop = f->hop;
    bool may_share = fetch_may_use_http2(f) && hop->restarts == 0;

    curl_multi_remove_handle(multi, hop->easy);
    hop->restart = false;
    hop->restarts++;
    hop->curl_error[0] = '\0';
    SET(CURLOPT_FORBID_REUSE, 0L);
    SET(CURLOPT_FRESH_CONNECT, may_share ? 0L : 1L);
    return transfer_start(f, multi);
}

/* Does it wait for the connection of another hop to f's origin? */
static bool
waits_with(const struct curlew_fetch *waiting, const struct curlew_fetch *f)
{
    const struct hop *hop = waiting->hop;

    return hop->shares && !hop->requested && list_empty(&hop->sockets) &&
           strcmp(waiting->url.origin, f->url.origin) == 0;
}

/* The time that it waited counts as time of connecting. */
static void
connect_alone(struct curlew_fetch *f, CURLM *multi)
{
    int64_t limit = f->request.connect_timeout_ms,
            waited = (clock_us() - f->started_us) / US_PER_MS;

    curl_multi_remove_handle(multi, f->hop->easy);
    f->hop->shares = false;
    SET(CURLOPT_PIPEWAIT, 0L);
    if (limit > 0)
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(waited < limit ? limit - waited : 1));
    curl_multi_add_handle(multi, f->hop->easy);
}

void
transfer_stop_sharing(const struct curlew_fetch *f, struct link *running, CURLM *multi)
{
    if (f->hop->requested || !fetch_may_use_http2(f) || f->failure.error == ERROR_CANCELLED ||
        f->failure.error == ERROR_TIMEOUT)
        return; /* of these libcurl lets the next one try */
    for (struct link *l = running->next; l != running; l = l->next) {
        struct curlew_fetch *other = container_of(l, struct curlew_fetch, link);

        if (waits_with(other, f))
            connect_alone(other, multi);
    }
}

bool
transfer_was_sent(const struct curlew_fetch *f)
{
    return f->hop != NULL && f->hop->requested;
}

bool
transfer_was_http1(const struct curlew_fetch *f)
{
    long version = CURL_HTTP_VERSION_NONE;

    curl_easy_getinfo(f->hop->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1;
}

struct curlew_fetch *
transfer_next_finished(struct connection_pool *pool, CURLM *multi, CURLcode *result)
{
    struct curlew_fetch *f = NULL;
    CURLMsg *msg;
    int left;

    do {
        if ((msg = curl_multi_info_read(multi, &left)) == NULL)
            return NULL;
    } while (connection_pool_on_finished(pool, msg->easy_handle));
    *result = msg->data.result; /* msg is valid until its handle is removed */
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f);
    return f;
}

void
transfer_release(struct curlew_fetch *f)
{
    if (f->hop == NULL)
        return;
    curl_slist_free_all(f->hop->header_lines);
    f->hop->header_lines = NULL;
    curl_mime_free(f->hop->mime);
    f->hop->mime = NULL;
    response_reader_drop_decoder(f);
}

/* -- while it runs ------------------------------------------------------- */

void
transfer_forbid_reuse(struct curlew_fetch *f)
{
    SET(CURLOPT_FORBID_REUSE, 1L);
}

int
transfer_resume(struct curlew_fetch *f)
{
    return curl_easy_pause(f->hop->easy, CURLPAUSE_CONT) == CURLE_OK ? 0 : -1;
}

void
transfer_flush_resets(struct link *running, uint64_t conn_id)
{
    for (struct link *l = running->next; l != running && conn_id != 0; l = l->next) {
        struct curlew_fetch *f = container_of(l, struct curlew_fetch, link);

        if (f->hop->conn_id != conn_id || f->paused)
            continue;
        curl_easy_pause(f->hop->easy, CURLPAUSE_RECV);
        curl_easy_pause(f->hop->easy, CURLPAUSE_CONT);
        return;
    }
}

uint64_t
transfer_conn_id(const struct curlew_fetch *f)
{
    return f->hop->conn_id;
}

static bool
is_alone(const struct curlew_fetch *f, const struct link *running)
{
    for (const struct link *l = running->next; l != running; l = l->next) {
        const struct curlew_fetch *other = container_of(l, struct curlew_fetch, link);

        if (other != f && other->hop->conn_id == f->hop->conn_id)
            return false;
    }
    return true;
}

int64_t
transfer_bytes_unsent(const struct curlew_fetch *f, const struct link *running)
{
    if (f->hop == NULL || f->hop->conn_id == 0 || !f->sends_body || !is_alone(f, running))
        return 0;
    return connection_pool_unsent(f->hop->pool, f->hop->conn_id);
}
