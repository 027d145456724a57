/* response_reader.c - reads a response's head and body as libcurl delivers them, within limits. */

#include "transfer/response_reader.h"

#include "coding/content_coding.h"
#include "fetch/body_pipe.h"
#include "transfer/connection_options.h"
#include "transfer/connection_pool.h"
#include "transfer/curl_result.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/request_headers.h"
#include "transfer/sent_once.h"
#include "util/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOLDS_MAX        64    /* each copies all of its field again */
#define FIELDS_MAX       1000  /* each costs more than its bytes */
#define SKIPPED_BODY_MAX 65536 /* that nobody reads: past it a new connection costs less */
#define EXPECTED_BYTES   ((int64_t)128 * 1024) /* of a body, before they have come */

#define STOP 0 /* fewer bytes than given: libcurl ends the transfer */

static size_t
trimmed(const char *s, size_t n)
{
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == '\n' || s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return n;
}

static const char *
skip_blanks(const char *s, size_t *n)
{
    while (*n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        (*n)--;
    }
    return s;
}

/* -- head ---------------------------------------------------------------- */

void
response_reader_drop_decoder(struct curlew_fetch *f)
{
    content_coding_free(f->hop->decoder);
    f->hop->decoder = NULL;
    body_account_subtract(f->config->bodies, (int64_t)f->hop->decoder_held);
    f->hop->decoder_held = 0;
    content_encoding_destroy(&f->hop->encoding);
}

/* Of an earlier hop, or of a challenge. */
static void
drop_message(struct curlew_fetch *f)
{
    response_reader_drop_body(f);
    f->response.body_bytes = 0;
    response_clear_message(&f->response);
}

/* The default total timeout ends with the head: how long a stream takes is its reader's affair. */
static void
start_stream(struct curlew_fetch *f)
{
    if (!(f->request.set & SET_TOTAL_TIMEOUT))
        f->request.total_timeout_ms = 0;
    curl_result_read_timing(f);
    body_pipe_publish_head(f->pipe);
}

/* libcurl asks for HTTP/2 by Upgrade where the request wants it without TLS; nobody else asks. */
static bool
is_upgrade_wanted(const struct curlew_fetch *f)
{
    return f->request.http_version == HTTP_2 && strcmp(f->url.scheme, "http") == 0;
}

/*
 * On a connection of HTTP/1 libcurl takes the names of HTTP/2 and 3, too, if nothing follows the
 * status.  It reads them as 200 by HTTP/1.0.
 */
static int
check_version(struct curlew_fetch *f, const char *line)
{
    long version = CURL_HTTP_VERSION_NONE;

    if (line[5] == '1') /* behind "HTTP/" */
        return 0;
    curl_easy_getinfo(f->hop->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == (line[5] == '2' ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_3))
        return 0;
    return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                       "a status line of HTTP/%c on a connection of another version", line[5]);
}

/* "HTTP/1.1 404 Not Found": a new head, as after a 100 Continue or a digest challenge. */
static int
start_head(struct curlew_fetch *f, const char *line, size_t n)
{
    struct response_head *h = &f->response.head;
    struct status_line status;

    sent_once_on_response(f);
    if (f->hop->pool != NULL)
        connection_pool_on_response(f->hop->pool, f->hop->conn_id,
                                    n > 7 && memcmp(line, "HTTP/1.", 7) == 0);
    connection_options_on_response(f);
    response_head_destroy(h);
    drop_message(f);
    response_reader_drop_decoder(f);
    if (response_framing_read_status(&status, line, n, &f->failure) != 0 ||
        check_version(f, line) != 0)
        return -1;
    if (status.status == 101 && !is_upgrade_wanted(f))
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "status 101: the origin changes to a protocol that nobody asked for");
    f->response.framing.http_1_0 = status.http_1_0;
    f->hop->in_head = true;
    return response_head_begin(h, f->url.text, status.status, status.reason, status.reason_size);
}

/* A line that begins with a blank continues the one before (RFC 9112 section 5.2). */
static int
continue_field(struct curlew_fetch *f, struct headers *fields, const char *line, size_t n)
{
    const char *name = fields->items[fields->count - 1].name;

    if (++f->hop->folds > FOLDS_MAX)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the response's head has over %d folded lines", FOLDS_MAX);
    if (f->hop->in_head && response_framing_is_field(name))
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR, "%s is folded over two lines", name);
    line = skip_blanks(line, &n);
    return headers_extend(fields, line, n);
}

/* What the field means for the framing; a trailer means nothing. */
static int
read_field(struct curlew_fetch *f, const struct header *h)
{
    return response_framing_add(&f->response.framing, h->name, strlen(h->name), h->value,
                                strlen(h->value), &f->failure);
}

/* The name is kept as it came: with a blank before the colon it is no field's that we know. */
static int
add_field(struct curlew_fetch *f, struct headers *fields, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n), *value;
    size_t size;

    if (fields->count > 0 && (*line == ' ' || *line == '\t'))
        return continue_field(f, fields, line, n);
    if (colon == NULL)
        return 0; /* not a field; libcurl ignores it, and so do we */
    if (f->response.head.headers.count + f->response.trailers.count >= FIELDS_MAX)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the response's head has over %d fields", FIELDS_MAX);
    size = n - (size_t)(colon - line) - 1;
    value = skip_blanks(colon + 1, &size);
    if (headers_add(fields, line, (size_t)(colon - line), value, size) != 0)
        return -1;
    return f->hop->in_head ? read_field(f, &fields->items[fields->count - 1]) : 0;
}

/* "stale=true" in a challenge: the nonce is too old, and libcurl answers with the new one. */
static bool
says_stale(const char *challenge)
{
    while ((challenge = strcasestr(challenge, "stale")) != NULL) {
        challenge += strlen("stale");
        challenge += strspn(challenge, " \t=\"");
        if (strncasecmp(challenge, "true", strlen("true")) == 0)
            return true;
    }
    return false;
}

static bool
is_stale(const struct headers *head)
{
    for (size_t i = 0; i < head->count; i++)
        if (strcasecmp(head->items[i].name, "www-authenticate") == 0 &&
            says_stale(head->items[i].value))
            return true;
    return false;
}

/*
 * libcurl answers it: a 401 that asks for digest authentication.  It sends a body in its second
 * request only, so it also sends that one where the first has done without authentication.
 * Whoever reads the response waits for what follows.
 */
static bool
is_challenge(const struct curlew_fetch *f)
{
    const struct hop *hop = f->hop;
    int status = f->response.head.status;

    if (!hop->digest)
        return false;
    if (status == 401)
        return !hop->challenged || is_stale(&f->response.head.headers);
    return status < 300 && !hop->challenged &&
           (f->sends_body || request_headers_want_length(f->method));
}

/* Nothing is undone of a body that nobody reads; what stays on it is told. */
static int
read_encoding(struct curlew_fetch *f)
{
    struct content_encoding *e = &f->hop->encoding;

    if (f->hop->verdict != HEAD_FINAL)
        return 0;
    if (content_encoding_parse(e, &f->response.head.headers, f->request.decompress, &f->failure))
        return -1;
    f->response.decoded = e->count > 0;
    if (e->remaining.len > 0 && (f->response.content_encoding = strdup(e->remaining.data)) == NULL)
        return -1;
    return 0;
}

/* Nobody can tell which one is meant.  libcurl 8.23 and browsers refuse it, whatever the status. */
static int
check_locations(struct curlew_fetch *f)
{
    const struct headers *h = &f->response.head.headers;
    const char *first = NULL;

    for (size_t i = 0; i < h->count; i++) {
        const char *value = h->items[i].value;

        if (strcasecmp(h->items[i].name, "location") != 0 || *value == '\0')
            continue;
        if (first != NULL && strcmp(first, value) != 0)
            return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                               "two Location fields name different places");
        first = value;
    }
    return 0;
}

/* What a stream passes on of a head must fit into the web server's buffer for it. */
static int
check_stream_head(struct curlew_fetch *f)
{
    const struct response_head *h = &f->response.head;
    size_t size = strlen(h->reason);

    for (size_t i = 0; i < h->headers.count; i++)
        size +=
            strlen(h->headers.items[i].name) + strlen(h->headers.items[i].value) + strlen(": \r\n");
    if (f->head_in_body || (int64_t)size <= f->config->limits.head_bytes)
        return 0;
    return failure_set(&f->failure, ERROR_RESPONSE_TOO_LARGE,
                       "limits.head_bytes: the response's head is over %lld bytes",
                       (long long)f->config->limits.head_bytes);
}

static int
end_head(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;
    bool challenge;

    hop->in_head = false;
    hop->continued |= f->response.head.status == 100;
    if (f->response.head.status < 200)
        return 0;
    hop->expects_head = false;
    hop->has_head = true;
    if (response_framing_is_doubtful(&f->response.framing))
        hop_set(hop, CURLOPT_FORBID_REUSE, 1L);
    if (hop_cookies_receive(f) != 0 || check_locations(f) != 0)
        return -1;
    challenge = is_challenge(f);
    hop->challenged |= challenge;
    challenge |= request_headers_end_expectation(f);
    hop->verdict = hop->events->on_headers(f, challenge);
    if (read_encoding(f) != 0 ||
        (f->pipe != NULL && hop->verdict == HEAD_FINAL && check_stream_head(f) != 0))
        return -1;
    if (f->pipe != NULL && !challenge && hop->verdict == HEAD_FINAL)
        start_stream(f);
    return 0;
}

static int
add_trailer(struct curlew_fetch *f, const char *line, size_t n)
{
    if (n == 0)
        return 0;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "a status line stands among the trailers");
    return add_field(f, &f->response.trailers, line, n);
}

/*
 * A line of a head whose fields have begun.  For libcurl a head ends at any line that begins with
 * CR or LF.  A line of blanks is no such line: it continues the field before.
 */
static int
read_head_line(struct curlew_fetch *f, const char *line, size_t n)
{
    if (*line != '\r' && *line != '\n')
        return add_field(f, &f->response.head.headers, line, trimmed(line, n));
    if (line[n - 1] != '\n') /* cut in the empty line: libcurl 8.23 hands out what there is */
        return 0;
    if (n > 2)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "a line of the response's head begins with a bare CR");
    return end_head(f);
}

/* Once a stream's head is published it is its reader's: what comes then are trailers. */
static int
read_line(struct curlew_fetch *f, const char *line, size_t n)
{
    struct hop *hop = f->hop;

    if (hop->in_head)
        return read_head_line(f, line, n);
    n = trimmed(line, n);
    return hop->expects_head ? start_head(f, line, n) : add_trailer(f, line, n);
}

static size_t
on_header(char *line, size_t size, size_t count, void *hop)
{
    struct curlew_fetch *f = ((struct hop *)hop)->fetch;
    size_t all = size * count;

    f->active_us = clock_us();
    f->hop->head_bytes += all;
    f->hop->pool->useful_bytes += (int64_t)all;
    if (f->hop->head_bytes > RESPONSE_READER_HEAD_MAX) {
        failure_set(&f->failure, ERROR_PROTOCOL_ERROR, "the response's %s over %d bytes",
                    f->hop->has_head ? "head and trailers are" : "head is",
                    RESPONSE_READER_HEAD_MAX);
        return STOP;
    }
    if (read_line(f, line, all) == 0)
        return all;
    failure_no_memory(&f->failure);
    return STOP;
}

/* -- body ---------------------------------------------------------------- */

/* Room for a body of a known length at once, and not as it grows: as far as one may trust it. */
static void
expect_body(struct curlew_fetch *f)
{
    int64_t length = response_framing_known_length(&f->response.framing);

    if (f->hop->encoding.count == 0 && length > 0)
        buffer_expect(&f->response.body,
                      (size_t)(length < EXPECTED_BYTES ? length : EXPECTED_BYTES));
}

static int
keep_bytes(struct curlew_fetch *f, const char *bytes, size_t n)
{
    if (fetch_try_buffer(f, (int64_t)n) != 0)
        return fetch_overloaded(f, &f->failure);
    if (f->response.body.len == 0)
        expect_body(f);
    buffer_add(&f->response.body, bytes, n);
    if (!buffer_ok(&f->response.body))
        return failure_no_memory(&f->failure);
    return 0;
}

/*
 * Not CURLOPT_MAX_RECV_SPEED_LARGE: libcurl checks the speed only before it reads, and then reads
 * up to 100 times while the socket has more.
 */
static bool
pause_if_too_fast(struct curlew_fetch *f)
{
    int64_t due;

    if (f->request.max_recv_speed == 0)
        return false;
    if (f->response.body_bytes == 0)
        f->body_us = f->active_us;
    due = f->body_us + (int64_t)((double)f->response.body_bytes * US_PER_SECOND /
                                 (double)f->request.max_recv_speed);
    if (due <= f->active_us)
        return false;
    f->hop->events->on_pause(f, due);
    return true;
}

/* 0: taken; -1: the reader is slow, and the transfer pauses. */
static int
write_to_stream(struct curlew_fetch *f, const char *bytes, size_t n)
{
    if (!body_pipe_has_head(f->pipe))
        start_stream(f); /* of a challenge that nothing follows */
    if (body_pipe_try_write(f->pipe, bytes, n))
        return 0;
    f->hop->events->on_pause(f, RESPONSE_EVENTS_UNTIL_RESUMED);
    return -1;
}

/* A body that nobody reads: another hop or attempt follows. */
static enum coding_result
skip_bytes(struct curlew_fetch *f)
{
    return f->hop->verdict == HEAD_RETRY && f->response.body_bytes > SKIPPED_BODY_MAX
               ? CODING_STOPPED
               : CODING_OK;
}

/* What is skipped may be short, whatever the caller's limit for the body that he gets. */
static int64_t
body_limit(const struct curlew_fetch *f)
{
    int64_t most = f->request.max_body_bytes;

    return f->hop->verdict == HEAD_FINAL || most > SKIPPED_BODY_MAX ? most : SKIPPED_BODY_MAX;
}

/* The next bytes of the body, decoded; a coding_sink. */
static enum coding_result
take_bytes(const char *bytes, size_t n, void *arg)
{
    struct curlew_fetch *f = arg;
    int64_t received = f->response.body_bytes + (int64_t)n;

    if (pause_if_too_fast(f))
        return CODING_PAUSED; /* the same bytes come again */
    if (received > body_limit(f)) {
        f->response.body_bytes = received;
        failure_set(&f->failure, ERROR_RESPONSE_TOO_LARGE, "the body is over %lld bytes",
                    (long long)body_limit(f));
        return CODING_STOPPED;
    }
    if (f->pipe != NULL && f->hop->verdict == HEAD_FINAL && write_to_stream(f, bytes, n) != 0)
        return CODING_PAUSED;
    f->response.body_bytes = received;
    if (f->hop->verdict != HEAD_FINAL)
        return skip_bytes(f);
    if (f->pipe == NULL && f->request.response_body != BODY_NONE && keep_bytes(f, bytes, n) != 0)
        return CODING_STOPPED;
    return CODING_OK;
}

/* The decoder's memory is on the account of the bodies: the origin chooses how much that is. */
static enum coding_result
account_decoder(struct curlew_fetch *f, enum coding_result result)
{
    struct hop *hop = f->hop;
    size_t held = content_coding_held(hop->decoder);
    int64_t more = (int64_t)held - (int64_t)hop->decoder_held;

    if (more > 0 &&
        !body_account_try_add(f->config->bodies, more, f->config->limits.buffered_bytes)) {
        fetch_overloaded(f, &f->failure);
        return CODING_STOPPED;
    }
    if (more < 0)
        body_account_subtract(f->config->bodies, -more);
    hop->decoder_held = held;
    return result;
}

/* Through the decoder, which is made for the first byte: most bodies have no coding, or no byte. */
static enum coding_result
decode_bytes(struct curlew_fetch *f, const char *bytes, size_t n)
{
    struct hop *hop = f->hop;

    if (hop->encoding.count == 0)
        return take_bytes(bytes, n, f);
    if (hop->decoder == NULL && (hop->decoder = content_coding_new(&hop->encoding)) == NULL) {
        failure_no_memory(&f->failure);
        return CODING_FAILED;
    }
    return account_decoder(
        f, content_coding_write(hop->decoder, bytes, n, take_bytes, f, &f->failure));
}

/* The same code as libcurl's own, whose callers know it. */
static void
mark_coding_failure(struct curlew_fetch *f)
{
    if (f->failure.error == ERROR_PROTOCOL_ERROR)
        f->failure.curl_code = CURLE_BAD_CONTENT_ENCODING;
}

/* What the result means for the fetch. */
static enum coding_result
apply_result(struct curlew_fetch *f, enum coding_result result)
{
    if (result == CODING_YIELDED) /* in the loop's next turn: others want to go on, too */
        f->hop->events->on_pause(f, f->active_us);
    else if (result == CODING_FAILED)
        mark_coding_failure(f);
    return result;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *hop)
{
    struct curlew_fetch *f = ((struct hop *)hop)->fetch;
    size_t n = size * count;

    f->active_us = clock_us();
    f->hop->pool->useful_bytes += (int64_t)n;
    if (f->failure.error != ERROR_NONE)
        return STOP; /* since response_reader_resume() */
    switch (apply_result(f, decode_bytes(f, bytes, n))) {
    case CODING_OK:
        return n;
    case CODING_YIELDED:
    case CODING_PAUSED:
        return CURL_WRITEFUNC_PAUSE;
    case CODING_FAILED:
    case CODING_STOPPED:
        return STOP;
    }
    return STOP;
}

bool
response_reader_resume(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;
    enum coding_result result;

    if (hop->decoder == NULL)
        return true;
    result = content_coding_resume(hop->decoder, take_bytes, f, &f->failure);
    result = apply_result(f, account_decoder(f, result));
    return result != CODING_PAUSED && result != CODING_YIELDED;
}

void
response_reader_attach(struct curlew_fetch *f, const struct response_events *events)
{
    f->hop->events = events;
    f->hop->verdict = HEAD_FINAL;
    drop_message(f);
    hop_set(f->hop, CURLOPT_HEADERFUNCTION, on_header);
    hop_set(f->hop, CURLOPT_HEADERDATA, f->hop);
    hop_set(f->hop, CURLOPT_WRITEFUNCTION, on_body);
    hop_set(f->hop, CURLOPT_WRITEDATA, f->hop);
}

void
response_reader_drop_body(struct curlew_fetch *f)
{
    fetch_set_buffered(f, 0);
    buffer_free(&f->response.body); /* its memory, too: it is on nobody's account any more */
}

void
response_reader_reset(struct curlew_fetch *f)
{
    response_head_destroy(&f->response.head);
    drop_message(f);
}

int
response_reader_finish(struct curlew_fetch *f)
{
    if (!f->hop->has_head)
        return failure_set(&f->failure, ERROR_INCOMPLETE_BODY,
                           "the connection was closed within the response's head");
    if (f->hop->decoder == NULL)
        return 0;
    return content_coding_finish(f->hop->decoder, &f->failure);
}
