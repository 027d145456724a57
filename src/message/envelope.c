/* envelope.c - a response as JSON: the contract's envelope, as one document or as a frame. */

#include "message/envelope.h"

#include "coding/charset.h"
#include "message/problem.h"
#include "util/base64.h"
#include "util/json_text.h"
#include "util/utf8.h"

#include <string.h>

#define USUAL_BYTES 1500 /* of an envelope without its body, allocated at once */

/* A piece of JSON that is the same in every envelope. */
#define PUT(out, literal) buffer_add((out), "" literal, sizeof(literal) - 1)

static void
put_bool(struct buffer *out, bool yes)
{
    if (yes)
        PUT(out, "true");
    else
        PUT(out, "false");
}

/* -- heads and cookies -------------------------------------------------- */

/* Where values are no UTF-8: their bytes, each with its index. */
static void
put_header_bytes(struct buffer *out, const struct headers *headers)
{
    bool any = false;

    for (size_t i = 0; i < headers->count; i++) {
        const char *value = headers->items[i].value;

        if (utf8_valid(value, strlen(value)))
            continue;
        buffer_adds(out, any ? ",[" : ",\"headers_base64\":[[");
        any = true;
        buffer_add_integer(out, (int64_t)i);
        PUT(out, ",\"");
        base64_encode(out, value, strlen(value));
        PUT(out, "\"]");
    }
    if (any)
        PUT(out, "]");
}

static void
put_pairs(struct buffer *out, const struct headers *headers)
{
    PUT(out, "[");
    for (size_t i = 0; i < headers->count; i++) {
        if (i > 0)
            PUT(out, ",");
        PUT(out, "[");
        charset_add_head(out, headers->items[i].name);
        PUT(out, ",");
        charset_add_head(out, headers->items[i].value);
        PUT(out, "]");
    }
    PUT(out, "]");
}

static void
put_headers(struct buffer *out, const struct headers *headers)
{
    PUT(out, "\"headers\":");
    put_pairs(out, headers);
    put_header_bytes(out, headers);
}

static void
put_trailers(struct buffer *out, const struct response *r)
{
    if (r->trailers.count == 0)
        return;
    PUT(out, ",\"trailers\":");
    put_pairs(out, &r->trailers);
}

static void
put_status(struct buffer *out, const struct response_head *h)
{
    PUT(out, "\"status\":");
    buffer_add_integer(out, h->status);
    PUT(out, ",\"reason\":");
    charset_add_head(out, h->reason);
    PUT(out, ",\"url\":");
    charset_add_head(out, h->url);
}

/* The beginning of every envelope. */
static void
put_head(struct buffer *out, const struct response *r)
{
    PUT(out, "{\"ok\":true,");
    put_status(out, &r->head);
    PUT(out, ",\"http_version\":");
    charset_add_head(out, response_version_name(r->http_version));
    PUT(out, ",");
    put_headers(out, &r->head.headers);
    if (r->body_not_replayed)
        PUT(out, ",\"body_not_replayed\":true");
    if (r->content_encoding == NULL)
        return;
    PUT(out, ",\"content_encoding\":");
    charset_add_head(out, r->content_encoding);
}

static void
put_history(struct buffer *out, const struct response *r)
{
    PUT(out, ",\"history\":[");
    for (size_t i = 0; i < r->history_count; i++) {
        if (i > 0)
            PUT(out, ",");
        PUT(out, "{");
        put_status(out, &r->history[i]);
        PUT(out, ",");
        put_headers(out, &r->history[i].headers);
        PUT(out, "}");
    }
    PUT(out, "]");
}

/* Bytes that are no UTF-8 stand beside their text by ISO-8859-1. */
static void
put_bytes(struct buffer *out, const char *key, const char *text)
{
    size_t n = strlen(text);

    if (utf8_valid(text, n))
        return;
    buffer_adds(out, key);
    base64_encode(out, text, n);
    PUT(out, "\"");
}

static void
put_cookie(struct buffer *out, const struct cookie *c)
{
    PUT(out, "{\"name\":");
    charset_add_head(out, c->name);
    put_bytes(out, ",\"name_base64\":\"", c->name);
    PUT(out, ",\"value\":");
    charset_add_head(out, c->value);
    put_bytes(out, ",\"value_base64\":\"", c->value);
    PUT(out, ",\"domain\":");
    charset_add_head(out, c->domain);
    PUT(out, ",\"host_only\":");
    put_bool(out, c->host_only);
    PUT(out, ",\"path\":");
    charset_add_head(out, c->path != NULL ? c->path : "/");
    PUT(out, ",\"secure\":");
    put_bool(out, c->secure);
    PUT(out, ",\"http_only\":");
    put_bool(out, c->http_only);
    PUT(out, ",\"expires\":");
    buffer_add_integer(out, c->expires);
    PUT(out, ",\"deleted\":");
    put_bool(out, c->deleted);
    PUT(out, "}");
}

static void
put_cookies(struct buffer *out, const struct cookies *cookies)
{
    PUT(out, ",\"cookies\":[");
    for (size_t i = 0; i < cookies->count; i++) {
        if (i > 0)
            PUT(out, ",");
        put_cookie(out, &cookies->items[i]);
    }
    PUT(out, "]");
}

/* -- the body ----------------------------------------------------------- */

/* The body's charset, once it is known; "" where there is none to name. */
static void
find_encoding(char name[CHARSET_SIZE], const struct request *request, const struct response *r)
{
    const char *type = headers_get(&r->head.headers, "content-type");

    if (type != NULL && charset_declared(name, type))
        return;
    name[0] = '\0';
    if (request->response_body != BODY_NONE && utf8_valid(r->body.data, r->body.len))
        strcpy(name, "utf-8");
}

static bool
put_text(struct buffer *out, const struct request *request, const struct response *r,
         const char *encoding)
{
    const char *name = encoding[0] != '\0' ? encoding : "utf-8";

    if (request->response_body == BODY_TEXT)
        charset_add_replacing(out, name, r->body.data, r->body.len);
    else
        return charset_add(out, name, r->body.data, r->body.len);
    return true;
}

static void
put_body(struct buffer *out, const struct request *request, const struct response *r,
         const char *encoding)
{
    size_t start = out->len;

    if (request->response_body == BODY_NONE)
        return;
    if (request->response_body != BODY_BASE64) {
        PUT(out, ",\"body\":");
        if (put_text(out, request, r, encoding))
            return;
        out->len = out->failed ? out->len : start;
    }
    PUT(out, ",\"body_base64\":\"");
    base64_encode(out, r->body.data, r->body.len);
    PUT(out, "\"");
}

static void
put_encoding(struct buffer *out, const char *encoding)
{
    PUT(out, ",\"encoding\":");
    if (encoding[0] == '\0')
        PUT(out, "null");
    else
        json_text_add(out, encoding, strlen(encoding));
}

/* -- facts about the fetch ---------------------------------------------- */

static void
put_timing(struct buffer *out, const struct timing *t)
{
    PUT(out, ",\"timing\":{\"queue\":");
    json_text_add_seconds(out, t->queue);
    PUT(out, ",\"dns\":");
    json_text_add_seconds(out, t->dns);
    PUT(out, ",\"connect\":");
    json_text_add_seconds(out, t->connect);
    PUT(out, ",\"tls\":");
    json_text_add_seconds(out, t->tls);
    PUT(out, ",\"first_byte\":");
    json_text_add_seconds(out, t->first_byte);
}

static void
put_whole_timing(struct buffer *out, const struct timing *t)
{
    put_timing(out, t);
    PUT(out, ",\"total\":");
    json_text_add_seconds(out, t->total);
    PUT(out, "}");
}

static void
put_connection(struct buffer *out, const struct response *r)
{
    PUT(out, ",\"connection\":{\"reused\":");
    put_bool(out, r->reused);
    PUT(out, ",\"remote_ip\":");
    charset_add_head(out, r->remote_ip);
    PUT(out, ",\"remote_port\":");
    buffer_add_integer(out, r->remote_port);
    PUT(out, ",\"local_ip\":");
    charset_add_head(out, r->local_ip);
    PUT(out, ",\"local_port\":");
    buffer_add_integer(out, r->local_port);
    PUT(out, "}");
}

static void
put_request_facts(struct buffer *out, const struct request *request)
{
    PUT(out, ",\"request\":{\"method\":");
    charset_add_head(out, request_method(request));
}

static void
put_fetch_facts(struct buffer *out, const struct request *request, const struct response *r)
{
    PUT(out, "},\"session\":");
    charset_add_head(out, request->session != NULL ? request->session : "default");
    PUT(out, ",\"attempts\":");
    buffer_add_integer(out, r->attempts);
    if (r->impersonated != NULL) {
        PUT(out, ",\"impersonated\":");
        charset_add_head(out, r->impersonated);
    }
}

/* -- whole envelopes ---------------------------------------------------- */

static int
put_end(struct buffer *out, const struct request *request, int index)
{
    if (request->tag != NULL) {
        PUT(out, ",\"tag\":");
        charset_add_head(out, request->tag);
    }
    if (index >= 0) {
        PUT(out, ",\"index\":");
        buffer_add_integer(out, index);
    }
    PUT(out, "}");
    return buffer_ok(out) ? 0 : -1;
}

static int
write_envelope(struct buffer *out, const struct request *request, const struct response *r,
               int index, bool frame)
{
    char encoding[CHARSET_SIZE];

    buffer_expect(out, USUAL_BYTES + (frame ? 0 : r->body.len));
    find_encoding(encoding, request, r);
    put_head(out, r);
    put_trailers(out, r);
    put_cookies(out, &r->cookies);
    put_encoding(out, encoding);
    if (!frame)
        put_body(out, request, r, encoding);
    PUT(out, ",\"body_bytes\":");
    buffer_add_integer(out, frame ? (int64_t)r->body.len : r->body_bytes);
    put_history(out, r);
    put_whole_timing(out, &r->timing);
    put_connection(out, r);
    put_request_facts(out, request);
    PUT(out, ",\"bytes_sent\":");
    buffer_add_integer(out, r->bytes_sent);
    put_fetch_facts(out, request, r);
    PUT(out, ",\"coalesced\":");
    put_bool(out, r->coalesced);
    return put_end(out, request, index);
}

int
envelope_write(struct buffer *out, const struct request *request, const struct response *r,
               int index)
{
    return write_envelope(out, request, r, index, false);
}

int
envelope_write_head(struct buffer *out, const struct request *request, const struct response *r,
                    int index)
{
    return write_envelope(out, request, r, index, true);
}

int
envelope_write_stream_head(struct buffer *out, const struct request *request,
                           const struct response *r)
{
    buffer_expect(out, USUAL_BYTES);
    put_head(out, r);
    put_cookies(out, &r->cookies);
    put_history(out, r);
    put_timing(out, &r->timing);
    PUT(out, "}");
    put_connection(out, r);
    put_request_facts(out, request);
    put_fetch_facts(out, request, r);
    return put_end(out, request, -1);
}

int
envelope_write_problem(struct buffer *out, const struct failure *f, const struct response *r)
{
    problem_begin(out, f);
    if (r->redirect_failed) {
        PUT(out, ",\"response\":{");
        put_status(out, &r->head);
        PUT(out, ",");
        put_headers(out, &r->head.headers);
        put_history(out, r);
        PUT(out, "}");
    }
    PUT(out, "}");
    return buffer_ok(out) ? 0 : -1;
}

int
envelope_write_failure(struct buffer *out, const struct request *request, const struct failure *f,
                       const struct response *r, int index, bool frame)
{
    PUT(out, "{\"ok\":false,\"error\":");
    envelope_write_problem(out, f, r);
    if (frame)
        PUT(out, ",\"body_bytes\":0");
    return put_end(out, request, index);
}
