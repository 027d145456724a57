/* transfer.c - one hop of a fetch on a libcurl easy handle: its options, and its end. */

#include "transfer/transfer.h"

#include "coding/content_coding.h"
#include "libcurl/curl_memory.h"
#include "transfer/connection_options.h"
#include "transfer/egress_hooks.h"
#include "transfer/fingerprint.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/impersonate.h"
#include "transfer/multipart.h"
#include "transfer/request_headers.h"
#include "transfer/response_reader.h"
#include "transfer/transfer_progress.h"
#include "transfer/upload_reader.h"
#include "util/clock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* While its reader is slow, libcurl and the decoder keep three of them. */
#define DECODED_STREAM_SLICE 8192L

/* What is collected is read by larger pieces.  libcurl has one such buffer for each thread. */
#define COLLECTED_SLICE 65536L

#define SET(option, value) hop_set(f->hop, option, value)

/* -- method and body ----------------------------------------------------- */

static int
set_method(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (strcmp(f->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return 0;
    }
    if (f->sends_body && r->part_count > 0) {
        if (multipart_set(f) != 0)
            return -1;
    } else if (upload_reader_is_wanted(f)) {
        upload_reader_attach(f);
    } else if (f->sends_body || request_headers_want_length(f->method)) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(f->sends_body ? r->body_size : 0));
        SET(CURLOPT_POSTFIELDS, f->sends_body ? r->body : "");
    }
    if (strcmp(f->method,
               f->sends_body || request_headers_want_length(f->method) ? "POST" : "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, f->method);
    return 0;
}

/* -- credentials --------------------------------------------------------- */

static bool
may_authenticate(const struct curlew_fetch *f)
{
    return (f->request.lent & SET_AUTH) != 0 ? fetch_may_lend(f) : f->same_origin;
}

/* libcurl counts them as redirects.  Each sends the body again. */
#define DIGEST_CHALLENGES_MAX 5L

static void
set_credentials(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    if (r->auth != AUTH_NONE && may_authenticate(f)) {
        SET(CURLOPT_HTTPAUTH, r->auth == AUTH_BASIC    ? (long)CURLAUTH_BASIC
                              : r->auth == AUTH_DIGEST ? (long)CURLAUTH_DIGEST
                                                       : (long)CURLAUTH_BEARER);
        SET(CURLOPT_USERNAME, r->auth_pair.user);
        SET(CURLOPT_PASSWORD, r->auth_pair.password);
        SET(CURLOPT_XOAUTH2_BEARER, r->auth_token);
        f->hop->digest = r->auth == AUTH_DIGEST;
        if (f->hop->digest)
            SET(CURLOPT_MAXREDIRS, DIGEST_CHALLENGES_MAX);
    } else if (f->url.user != NULL || f->url.password != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, f->url.user != NULL ? f->url.user : "");
        SET(CURLOPT_PASSWORD, f->url.password != NULL ? f->url.password : "");
    }
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
    else if (f->pipe == NULL)
        SET(CURLOPT_BUFFERSIZE, COLLECTED_SLICE);
    else if (r->decompress)
        SET(CURLOPT_BUFFERSIZE, DECODED_STREAM_SLICE);
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
    const char *proxy = f->request.proxy, *query = strchr(f->url.text, '?');
    bool absolute =
        proxy != NULL && strncasecmp(proxy, "socks", 5) != 0 && strcmp(f->url.scheme, "http") == 0;
    char *target;

    if (query == NULL || query[1] != '\0')
        return 0;
    if (asprintf(&target, "%s?", f->url.path) < 0)
        return failure_no_memory(&f->failure);
    SET(CURLOPT_REQUEST_TARGET, absolute ? f->url.text : target); /* libcurl copies it */
    free(target);
    return 0;
}

bool
transfer_lacked_memory(const struct curlew_fetch *f)
{
    return curl_memory_failures() != f->hop->memory_failures;
}

static void
reset_hop(struct hop *hop)
{
    hop->memory_failures = curl_memory_failures();
    easy_options_begin(&hop->options);
    hop->curl_error[0] = '\0';
    hop->head_bytes = 0;
    hop->folds = 0;
    hop->connect_bytes = hop->empty_reads = 0;
    hop->read_us = hop->read_bytes = 0;
    hop->conn_id = 0;
    hop->opened_us = 0;
    hop->no_tickets = hop->begun = false;
    hop->expects_head = hop->in_head = hop->has_head = false;
    hop->requested = hop->digest = hop->challenged = hop->restart = false;
    hop->requests = hop->restarts = hop->addresses = 0;
}

static int
name_options(struct curlew_fetch *f, const struct transfer_setup *setup)
{
    CURLcode rc;

    reset_hop(f->hop);
    if (impersonate_apply(f) != 0 || fingerprint_apply(f) != 0)
        return -1;
    rc = SET(CURLOPT_URL, f->url.text);
    SET(CURLOPT_PRIVATE, f->hop);
    SET(CURLOPT_ERRORBUFFER, f->hop->curl_error);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_ACCEPT_ENCODING, NULL); /* content_coding.h undoes them */
    if (!request_is_disguised(&f->request))
        SET(CURLOPT_USERAGENT, setup->user_agent);
    response_reader_attach(f, setup->events);
    egress_hooks_attach(f);
    connection_pool_attach(f, setup->pool);
    set_limits(f);
    transfer_progress_attach(f);
    dns_limit_attach(f, setup->dns_limit);
    set_credentials(f);
    if (rc != CURLE_OK)
        return failure_no_memory(&f->failure);
    tls_tickets_attach(setup->tickets, f);
    return connection_options_set(f) || set_request_target(f) || set_method(f) ? -1 : 0;
}

int
transfer_prepare(struct curlew_fetch *f, const struct transfer_setup *setup)
{
    if (name_options(f, setup) != 0)
        return -1;
    if (!easy_options_end(&f->hop->options)) { /* on a handle that was reset it can */
        transfer_release(f);
        easy_options_reset(&f->hop->options);
        if (name_options(f, setup) != 0)
            return -1;
        if (!easy_options_end(&f->hop->options))
            return failure_set(&f->failure, ERROR_INTERNAL, "an option needs a handle of its own");
    }
    if (hop_cookies_send(f) != 0 || request_headers_set(f) != 0) /* which go with the hop */
        return -1;
    /* curl_easy_reset() tells of no failure, and of many options the result is not looked at. */
    return transfer_lacked_memory(f) ? failure_no_memory(&f->failure) : 0;
}

int
transfer_start(struct curlew_fetch *f, CURLM *multi)
{
    if (upload_reader_start(f) != 0)
        return -1;
    connection_options_start(f);
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
    bool may_share = fetch_may_multiplex(f) && hop->restarts == 0;

    curl_multi_remove_handle(multi, hop->easy);
    hop->restart = false;
    hop->restarts++;
    f->connecting = true;
    hop->addresses = 0;
    hop->curl_error[0] = '\0';
    SET(CURLOPT_FORBID_REUSE, connection_options_is_h2c(f) ? 1L : 0L);
    SET(CURLOPT_FRESH_CONNECT, may_share ? 0L : 1L);
    return transfer_start(f, multi);
}

/* Is the request of another hop to f's origin on its way, on a connection that f might share? */
static bool
has_shareable(const struct curlew_fetch *f, const struct link *running)
{
    for (const struct link *l = running->next; l != running; l = l->next) {
        const struct curlew_fetch *other = container_of(l, struct curlew_fetch, link);

        if (other->hop->requested && fetch_may_multiplex(other) &&
            strcmp(other->url.origin, f->url.origin) == 0)
            return true;
    }
    return false;
}

/* Has its own connection had all of the time for connecting? */
static bool
has_tried_to_connect(const struct curlew_fetch *f)
{
    int64_t opened_us = f->hop->opened_us;

    return opened_us != 0 && clock_us() - opened_us >= f->request.connect_timeout_ms * US_PER_MS;
}

bool
transfer_may_wait_on(const struct curlew_fetch *f, CURLcode result, const struct link *running)
{
    return result == CURLE_OPERATION_TIMEDOUT && f->failure.error == ERROR_NONE && f->hop->shares &&
           !f->hop->requested && !has_tried_to_connect(f) && has_shareable(f, running);
}

int
transfer_wait_on(struct curlew_fetch *f, CURLM *multi)
{
    curl_multi_remove_handle(multi, f->hop->easy);
    f->hop->curl_error[0] = '\0';
    f->hop->opened_us = 0;
    if (f->connecting)
        f->hop->events->on_connected(f);
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
    if (transfer_start(f, multi) != 0)
        f->hop->events->on_lost(f);
}

/* Was its connection closed as no response had come on it? */
static bool
was_unanswered(const struct curlew_fetch *f)
{
    return f->hop->requested && f->hop->unanswered.writings > 0 && connection_options_is_h2c(f);
}

void
transfer_stop_sharing(const struct curlew_fetch *f, struct link *running, CURLM *multi)
{
    if (!was_unanswered(f) &&
        (!f->hop->opened || f->hop->requested || !fetch_may_multiplex(f) ||
         f->failure.error == ERROR_CANCELLED || f->failure.error == ERROR_TIMEOUT))
        return; /* it waited itself; or libcurl lets the next one try */
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
    struct hop *hop = NULL;
    CURLMsg *msg;
    int left;

    do {
        if ((msg = curl_multi_info_read(multi, &left)) == NULL)
            return NULL;
    } while (connection_pool_on_finished(pool, msg->easy_handle));
    *result = msg->data.result; /* msg is valid until its handle is removed */
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &hop);
    return hop->fetch;
}

void
transfer_release(struct curlew_fetch *f)
{
    if (f->hop == NULL)
        return;
    easy_options_drop(&f->hop->options);
    connection_options_release(f);
    header_lines_clear(&f->hop->header_lines);
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
    if (!response_reader_resume(f))
        return 0;
    return upload_reader_unpause(f);
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

/* libcurl 8.14 may still hold a name in it that it has looked up for this thread's others. */
void
transfer_leave_thread(struct curlew_fetch *f)
{
    easy_options_reset(&f->hop->options);
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
