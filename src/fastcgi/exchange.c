/* exchange.c - one request of a web server and the answer to it: what a route sees. */

#include "fastcgi/exchange.h"

#include "engine/engine.h"
#include "fastcgi/fcgi_connection.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/problem.h"
#include "routes/batch_window.h"

#include <string.h>

#define HEAD_BYTES_MAX (512 * 1024) /* more than a transfer takes of an origin's head */
#define KEEP_BYTES     4096         /* a buffer up to this size is kept for the next answer */

void
exchange_init(struct exchange *x)
{
    memset(x, 0, sizeof *x);
    buffer_init(&x->body, SIZE_MAX / 2); /* the screen holds the real limit */
    buffer_init(&x->head, HEAD_BYTES_MAX);
    buffer_init(&x->prefix, SIZE_MAX / 2);
}

/* Its memory serves the next answer, unless that would be much. */
static void
empty(struct buffer *b)
{
    if (b->cap > KEEP_BYTES || b->failed)
        buffer_free(b);
    else
        buffer_clear(b);
}

void
exchange_reset(struct exchange *x)
{
    buffer_free(&x->body);
    empty(&x->head);
    empty(&x->prefix);
    fetch_unref(x->fetch);
    batch_window_free(x->batch);
    x->fetch = NULL;
    x->batch = NULL;
    x->route = NULL;
    x->frames = x->answered = x->streaming = x->handoff = x->partial = x->broken = false;
    x->middle = x->suffix = NULL;
    x->middle_len = x->suffix_len = x->sent = 0;
}

void
exchange_destroy(struct exchange *x)
{
    exchange_reset(x);
    buffer_free(&x->head);
    buffer_free(&x->prefix);
}

const char *
exchange_method(const struct exchange *x)
{
    const char *method = libfcgi_codec_param(x->codec, "REQUEST_METHOD");

    return method != NULL ? method : "GET";
}

const char *
exchange_query(const struct exchange *x)
{
    const char *query = libfcgi_codec_param(x->codec, "QUERY_STRING");

    return query != NULL ? query : "";
}

static const char *
reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 413, "Content Too Large" },
        { 499, "Client Closed Request" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* CGI's form of a response head (RFC 3875 section 6). */
void
exchange_respond(struct exchange *x, int status, const char *type)
{
    bool head = strcmp(exchange_method(x), "HEAD") == 0;

    buffer_adds(&x->head, "Status: ");
    buffer_add_integer(&x->head, status);
    buffer_addc(&x->head, ' ');
    buffer_adds(&x->head, reason_of(status));
    buffer_adds(&x->head, "\r\nContent-Type: ");
    buffer_adds(&x->head, type);
    buffer_adds(&x->head, "\r\nContent-Length: ");
    buffer_add_integer(&x->head, (int64_t)(x->prefix.len + x->middle_len + x->suffix_len));
    buffer_adds(&x->head, "\r\nCache-Control: no-store\r\n\r\n");
    if (head) {
        buffer_free(&x->prefix);
        x->middle_len = x->suffix_len = 0;
    }
    x->answered = true;
}

void
exchange_respond_empty(struct exchange *x)
{
    buffer_adds(&x->head, "Status: 204 No Content\r\nCache-Control: no-store\r\n\r\n");
    x->answered = true;
}

void
exchange_fail(struct exchange *x, const struct failure *f)
{
    int after = f->retry_after > 0 ? f->retry_after : error_retry_after(f->error);

    buffer_free(&x->prefix);
    x->middle_len = x->suffix_len = 0;
    problem_write(&x->prefix, f);
    if (after > 0)
        buffer_printf(&x->head, "Retry-After: %d\r\n", after);
    if (f->error == ERROR_UNAUTHORIZED)
        buffer_adds(&x->head, "WWW-Authenticate: Bearer realm=\"curlew\"\r\n");
    exchange_respond(x, error_status(f->error), "application/problem+json");
}

void
exchange_clear_piece(struct exchange *x)
{
    buffer_free(&x->head);
    fcgi_connection_reset_buffer(&x->prefix);
    x->middle = x->suffix = NULL;
    x->middle_len = x->suffix_len = x->sent = 0;
}

void
exchange_cancel(struct exchange *x)
{
    if (x->batch != NULL)
        batch_window_cancel(x->batch);
    else if (x->fetch != NULL)
        curlew_cancel(x->fetch);
}

/* The engine's account of bodies held goes on with what is really held. */
void
exchange_account_prefix(struct exchange *x)
{
    struct curlew_fetch *f = x->fetch;

    buffer_free(&f->response.body);
    counter_add(&f->engine->stats.buffered, (int64_t)x->prefix.len - f->buffered);
    f->buffered = (int64_t)x->prefix.len;
}

size_t
exchange_next(struct exchange *x, const char **bytes, size_t n)
{
    const struct {
        const char *data;
        size_t len;
    } parts[] = { { x->head.data, x->head.len },
                  { x->prefix.data, x->prefix.len },
                  { x->middle, x->middle_len },
                  { x->suffix, x->suffix_len } };
    size_t at = x->sent;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (at < parts[i].len) {
            size_t left = parts[i].len - at;

            *bytes = parts[i].data + at;
            n = n < left ? n : left;
            x->sent += n;
            return n;
        }
        at -= parts[i].len;
    }
    return 0;
}
