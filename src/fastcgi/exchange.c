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
exchange_init(struct exchange *c)
{
    memset(c, 0, sizeof *c);
    buffer_init(&c->body, SIZE_MAX / 2); /* the screen holds the real limit */
    buffer_init(&c->head, HEAD_BYTES_MAX);
    buffer_init(&c->prefix, SIZE_MAX / 2);
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
exchange_reset(struct exchange *c)
{
    buffer_free(&c->body);
    empty(&c->head);
    empty(&c->prefix);
    fetch_unref(c->fetch);
    batch_window_free(c->batch);
    c->fetch = NULL;
    c->batch = NULL;
    c->route = NULL;
    c->frames = c->answered = c->streaming = c->handoff = c->partial = c->broken = false;
    c->middle = c->suffix = NULL;
    c->middle_len = c->suffix_len = c->sent = 0;
}

void
exchange_destroy(struct exchange *c)
{
    exchange_reset(c);
    buffer_free(&c->head);
    buffer_free(&c->prefix);
}

const char *
exchange_method(const struct exchange *c)
{
    const char *method = libfcgi_codec_param(c->codec, "REQUEST_METHOD");

    return method != NULL ? method : "GET";
}

const char *
exchange_query(const struct exchange *c)
{
    const char *query = libfcgi_codec_param(c->codec, "QUERY_STRING");

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
exchange_respond(struct exchange *c, int status, const char *type)
{
    bool head = strcmp(exchange_method(c), "HEAD") == 0;

    buffer_adds(&c->head, "Status: ");
    buffer_add_integer(&c->head, status);
    buffer_addc(&c->head, ' ');
    buffer_adds(&c->head, reason_of(status));
    buffer_adds(&c->head, "\r\nContent-Type: ");
    buffer_adds(&c->head, type);
    buffer_adds(&c->head, "\r\nContent-Length: ");
    buffer_add_integer(&c->head, (int64_t)(c->prefix.len + c->middle_len + c->suffix_len));
    buffer_adds(&c->head, "\r\nCache-Control: no-store\r\n\r\n");
    if (head) {
        buffer_free(&c->prefix);
        c->middle_len = c->suffix_len = 0;
    }
    c->answered = true;
}

void
exchange_respond_empty(struct exchange *c)
{
    buffer_adds(&c->head, "Status: 204 No Content\r\nCache-Control: no-store\r\n\r\n");
    c->answered = true;
}

void
exchange_fail(struct exchange *c, const struct failure *f)
{
    int after = f->retry_after > 0 ? f->retry_after : error_retry_after(f->error);

    buffer_free(&c->prefix);
    c->middle_len = c->suffix_len = 0;
    problem_write(&c->prefix, f);
    if (after > 0)
        buffer_printf(&c->head, "Retry-After: %d\r\n", after);
    if (f->error == ERROR_UNAUTHORIZED)
        buffer_adds(&c->head, "WWW-Authenticate: Bearer realm=\"curlew\"\r\n");
    exchange_respond(c, error_status(f->error), "application/problem+json");
}

void
exchange_clear_piece(struct exchange *c)
{
    buffer_free(&c->head);
    fcgi_connection_reset_buffer(&c->prefix);
    c->middle = c->suffix = NULL;
    c->middle_len = c->suffix_len = c->sent = 0;
}

void
exchange_cancel(struct exchange *c)
{
    if (c->batch != NULL)
        batch_window_cancel(c->batch);
    else if (c->fetch != NULL)
        curlew_cancel(c->fetch);
}

/* The engine's account of bodies held goes on with what is really held. */
void
exchange_account_prefix(struct exchange *c)
{
    struct curlew_fetch *f = c->fetch;

    buffer_free(&f->response.body);
    fetch_set_buffered(f, (int64_t)c->prefix.len);
}

size_t
exchange_next(struct exchange *c, const char **bytes, size_t n)
{
    const struct {
        const char *data;
        size_t len;
    } parts[] = { { c->head.data, c->head.len },
                  { c->prefix.data, c->prefix.len },
                  { c->middle, c->middle_len },
                  { c->suffix, c->suffix_len } };
    size_t at = c->sent;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (at < parts[i].len) {
            size_t left = parts[i].len - at;

            *bytes = parts[i].data + at;
            n = n < left ? n : left;
            c->sent += n;
            return n;
        }
        at -= parts[i].len;
    }
    return 0;
}
