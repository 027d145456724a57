/* response_reader.c - reads a response's head and body as libcurl delivers them, within limits. */

#include "transfer/response_reader.h"

#include "fetch/body_pipe.h"
#include "transfer/curl_result.h"
#include "transfer/hop.h"
#include "transfer/hop_cookies.h"
#include "transfer/sent_once.h"
#include "util/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOLDS_MAX        64    /* each copies all of its field again */
#define FIELDS_MAX       1000  /* each costs more than its bytes */
#define SKIPPED_BODY_MAX 65536 /* that nobody reads: past it a new connection costs less */
#define STOP             0     /* fewer bytes than given: libcurl ends the transfer */

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

/* Of an earlier hop, or of a challenge. */
static void
drop_body(struct curlew_fetch *f)
{
    response_reader_drop_body(f);
    f->response.body_bytes = 0;
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

/* "HTTP/1.1 404 Not Found": a new head, as after a 100 Continue or a digest challenge. */
static int
start_head(struct curlew_fetch *f, const char *line, size_t n)
{
    struct response_head *h = &f->response.head;
    const char *space = memchr(line, ' ', n);
    const char *end = line + n;
    long status = 0;

    sent_once_on_response(f);
    response_head_destroy(h);
    drop_body(f);
    f->hop->has_head = false;
    curl_easy_getinfo(f->hop->easy, CURLINFO_RESPONSE_CODE, &status);
    h->status = (int)status;
    space = space != NULL ? memchr(space + 1, ' ', (size_t)(end - space - 1)) : NULL;
    h->reason = space != NULL ? strndup(space + 1, (size_t)(end - space - 1)) : strdup("");
    h->url = strdup(f->url.text);
    return h->reason == NULL || h->url == NULL ? -1 : 0;
}

/* A line that begins with a blank continues the one before (RFC 9112 section 5.2). */
static int
continue_field(struct curlew_fetch *f, const char *line, size_t n)
{
    struct response_head *h = &f->response.head;

    if (++f->hop->folds > FOLDS_MAX)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the response's head has over %d folded lines", FOLDS_MAX);
    line = skip_blanks(line, &n);
    return headers_extend(&h->headers, line, n);
}

static int
add_field(struct curlew_fetch *f, const char *line, size_t n)
{
    struct response_head *h = &f->response.head;
    const char *colon = memchr(line, ':', n);
    size_t name, skip;

    if (h->headers.count > 0 && (*line == ' ' || *line == '\t'))
        return continue_field(f, line, n);
    if (colon == NULL)
        return 0; /* not a field; libcurl ignores it, and so do we */
    if (h->headers.count >= FIELDS_MAX)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the response's head has over %d fields", FIELDS_MAX);
    name = (size_t)(colon - line);
    skip = name + 1;
    while (skip < n && (line[skip] == ' ' || line[skip] == '\t'))
        skip++;
    return headers_add(&h->headers, line, trimmed(line, name), line + skip, n - skip);
}

/* The 401 that digest authentication begins with: the reader of a stream waits for what follows. */
static bool
is_challenge(const struct curlew_fetch *f)
{
    return f->pipe != NULL && f->response.head.status == 401 && f->request.auth == AUTH_DIGEST &&
           !f->hop->challenged;
}

/* Once for each head: the trailers of a body may end in an empty line, too. */
static int
end_head(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;
    bool challenge = is_challenge(f);

    if (f->response.head.status < 200 || hop->has_head)
        return 0;
    hop->has_head = true;
    if (hop_cookies_receive(f) != 0)
        return -1;
    hop->challenged |= challenge;
    hop->verdict = hop->events->on_headers(f, challenge);
    if (f->pipe != NULL && !challenge && hop->verdict == HEAD_FINAL)
        start_stream(f);
    return 0;
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
    struct curlew_fetch *f = arg;
    size_t all = size * count, n = trimmed(line, all);
    int rc = 0;

    f->active_us = clock_us();
    if (f->pipe != NULL && body_pipe_has_head(f->pipe))
        return all; /* a trailer: the head has gone */
    f->hop->head_bytes += all;
    if (f->hop->head_bytes > RESPONSE_READER_HEAD_MAX) {
        failure_set(&f->failure, ERROR_PROTOCOL_ERROR, "the response's head is over %d bytes",
                    RESPONSE_READER_HEAD_MAX);
        return STOP;
    }
    if (all >= 5 && memcmp(line, "HTTP/", 5) == 0)
        rc = start_head(f, line, n);
    else if (n > 0)
        rc = add_field(f, line, n);
    else
        rc = end_head(f);
    if (rc == 0)
        return all;
    failure_no_memory(&f->failure);
    return STOP;
}

/* -- body ---------------------------------------------------------------- */

static int
keep_bytes(struct curlew_fetch *f, const char *bytes, size_t n)
{
    if (fetch_try_buffer(f, (int64_t)n) != 0)
        return failure_set(&f->failure, ERROR_OVERLOADED,
                           "limits.buffered_bytes: all bodies together are over %lld bytes",
                           (long long)f->config->limits.buffered_bytes);
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

/* 0: taken, or skipped; -1: the reader is slow, and the transfer pauses. */
static int
write_to_stream(struct curlew_fetch *f, const char *bytes, size_t n)
{
    if (!body_pipe_has_head(f->pipe)) {
        if (f->hop->verdict != HEAD_FINAL)
            return 0;
        start_stream(f);
    }
    if (body_pipe_try_write(f->pipe, bytes, n))
        return 0;
    f->hop->events->on_pause(f, RESPONSE_EVENTS_UNTIL_RESUMED);
    return -1;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct curlew_fetch *f = arg;
    size_t n = size * count;

    f->active_us = clock_us();
    if (pause_if_too_fast(f))
        return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
    if (f->pipe != NULL && f->response.body_bytes + (int64_t)n <= f->request.max_body_bytes &&
        write_to_stream(f, bytes, n) != 0)
        return CURL_WRITEFUNC_PAUSE;
    f->response.body_bytes += (int64_t)n;
    if (f->hop->verdict == HEAD_RETRY && f->response.body_bytes > SKIPPED_BODY_MAX)
        return STOP;
    if (f->response.body_bytes > f->request.max_body_bytes) {
        failure_set(&f->failure, ERROR_RESPONSE_TOO_LARGE, "the body is over %lld bytes",
                    (long long)f->request.max_body_bytes);
        return STOP;
    }
    if (f->pipe == NULL && f->request.response_body != BODY_NONE && keep_bytes(f, bytes, n) != 0)
        return STOP;
    return n;
}

void
response_reader_attach(struct curlew_fetch *f, const struct response_events *events)
{
    f->hop->events = events;
    f->hop->verdict = HEAD_FINAL;
    drop_body(f);
    curl_easy_setopt(f->hop->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(f->hop->easy, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(f->hop->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(f->hop->easy, CURLOPT_WRITEDATA, f);
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
    drop_body(f);
}
