/*
 * origin_plan.h - bytes as the responses of an origin: whole and true ones, ones that are cut,
 * redirects to the next one, ones with any fields, any bytes.
 *
 * Of a true one, cut or not, it is known what a client has to make of it.
 */
#ifndef FUZZ_ORIGIN_PLAN_H
#define FUZZ_ORIGIN_PLAN_H

#include "fuzz_input.h"

#include <zlib.h>

#define PLAN_RESPONSES 3
#define PLAN_BODY_MAX  600

enum expectation { EXPECT_ANYTHING, EXPECT_WHOLE, EXPECT_PREFIX, EXPECT_FAILURE };

struct planned_response {
    struct buffer bytes; /* as they go over the wire */
    size_t piece;        /* bytes written at once */
    bool keep;           /* the connection, after them */
    bool reset;          /* it ends by RST */
    bool is_http2;
    bool is_redirect; /* to the next one of the plan, and whole */
    enum expectation expected;
    int status;
    struct buffer body; /* decoded */
};

struct origin_plan {
    struct planned_response responses[PLAN_RESPONSES];
};

enum plan_framing { PLAN_LENGTH, PLAN_CHUNKED, PLAN_CLOSE };

/* -- true responses -------------------------------------------------------- */

static inline void
gzip_body(struct buffer *to, const struct buffer *from)
{
    z_stream z = { .next_in = (Bytef *)from->data, .avail_in = (uInt)from->len };
    char out[PLAN_BODY_MAX * 2];

    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof out;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    buffer_add(to, out, sizeof out - z.avail_out);
    deflateEnd(&z);
}

static inline void
add_chunks(struct fuzz_input *in, struct buffer *to, const struct buffer *body)
{
    static const char *const extensions[] = { "", "", ";a=b", " ;a", ";a=\"x\"" };
    size_t at = 0;

    while (at < body->len) {
        size_t n = 1 + take_below(in, body->len - at);

        buffer_printf(to, take_below(in, 2) ? "%zx%s\r\n" : "%04zX%s\r\n", n,
                      extensions[take_below(in, COUNT(extensions))]);
        buffer_add(to, body->data + at, n);
        buffer_adds(to, "\r\n");
        at += n;
    }
    buffer_adds(to, "0\r\n");
    for (size_t i = take_below(in, 3); i > 0; i--)
        buffer_printf(to, "X-Trailer-%zu: t\r\n", i);
    buffer_adds(to, "\r\n");
}

static inline void
add_true_head(struct fuzz_input *in, struct planned_response *r, enum plan_framing framing,
              size_t length, bool coded)
{
    static const int statuses[] = { 200, 201, 203, 206, 299, 400, 404, 418, 500, 503, 599, 999 };
    static const char *const before[] = { "", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
                                          "HTTP/1.1 100 Continue\r\n\r\n" };
    static const char *const fields[] = { "X-A: 1\r\n",
                                          "Set-Cookie: a=b\r\n",
                                          "X-Empty:\r\n",
                                          "Content-Type: text/plain; charset=x\r\n",
                                          "Location: /elsewhere\r\n",
                                          "Date: never\r\n" };

    r->status = statuses[take_below(in, COUNT(statuses))];
    buffer_adds(&r->bytes, before[take_below(in, COUNT(before))]);
    buffer_printf(&r->bytes, "HTTP/1.1 %d Any\r\n", r->status);
    for (size_t i = take_below(in, 4); i > 0; i--)
        buffer_adds(&r->bytes, fields[take_below(in, COUNT(fields))]);
    if (coded)
        buffer_adds(&r->bytes, "Content-Encoding: gzip\r\n");
    if (framing == PLAN_LENGTH)
        buffer_printf(&r->bytes, "Content-Length: %zu\r\n", length);
    if (framing == PLAN_CHUNKED)
        buffer_adds(&r->bytes, "Transfer-Encoding: chunked\r\n");
    if (framing == PLAN_CLOSE)
        buffer_adds(&r->bytes, "Connection: close\r\n");
    buffer_adds(&r->bytes, "\r\n");
}

/* Some of its end is missing, or none. */
static inline void
cut_true(struct fuzz_input *in, struct planned_response *r, size_t head, bool needs_all)
{
    size_t whole = r->bytes.len, left = take_below(in, 2) ? whole : take_below(in, whole + 1);

    r->bytes.len = left;
    if (left == whole)
        r->expected = EXPECT_WHOLE;
    else
        r->expected = needs_all || left < head ? EXPECT_FAILURE : EXPECT_PREFIX;
    r->keep = r->expected == EXPECT_WHOLE && r->keep;
    r->reset = r->expected == EXPECT_FAILURE && r->reset;
}

static inline void
plan_true(struct fuzz_input *in, struct planned_response *r)
{
    enum plan_framing framing = (enum plan_framing)take_below(in, 3);
    bool coded = take_below(in, 4) == 0;
    struct buffer sent;
    size_t head;

    buffer_init(&sent, SIZE_MAX / 2);
    take_text(in, &r->body, PLAN_BODY_MAX);
    if (coded)
        gzip_body(&sent, &r->body);
    else
        buffer_add(&sent, r->body.data, r->body.len);
    add_true_head(in, r, framing, sent.len, coded);
    head = r->bytes.len;
    if (framing == PLAN_CHUNKED)
        add_chunks(in, &r->bytes, &sent);
    else
        buffer_add(&r->bytes, sent.data, sent.len);
    buffer_free(&sent);
    r->keep = framing != PLAN_CLOSE && take_below(in, 2);
    cut_true(in, r, head, framing != PLAN_CLOSE || coded);
}

/* A redirect to the next one, in one of the spellings that browsers know. */
static inline void
plan_redirect(struct fuzz_input *in, struct planned_response *r, size_t next)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    static const char *const ways[] = { "/N", "N", " /x/../N ", "\\N", "/N#end", "http:/N" };
    static const char *const bodies[] = { "Content-Length: 0\r\n\r\n",
                                          "Content-Length: 5\r\n\r\nmoved",
                                          "Transfer-Encoding: chunked\r\n\r\n2\r\nmo\r\n0\r\n\r\n",
                                          "Connection: close\r\n\r\nmoved" };
    size_t body = take_below(in, COUNT(bodies));

    r->is_redirect = true;
    r->reset = false;
    r->keep = body != 3 && take_below(in, 2);
    buffer_printf(&r->bytes,
                  "HTTP/1.1 %d Moved\r\nLocation: ", statuses[take_below(in, COUNT(statuses))]);
    for (const char *c = ways[take_below(in, COUNT(ways))]; *c != '\0'; c++)
        buffer_addc(&r->bytes, *c == 'N' ? (char)('0' + next) : *c);
    buffer_printf(&r->bytes, "\r\nSet-Cookie: hop%zu=1\r\n%s", next, bodies[body]);
}

/* -- any responses --------------------------------------------------------- */

/* clang-format off */
static const char *const field_beginnings[] = {
    "Content-Length: ", "Content-Length: 5", "Content-Length : 5", "Transfer-Encoding: chunked",
    "Transfer-Encoding: ", "Content-Encoding: gzip", "Content-Encoding: br, zstd",
    "Content-Encoding: ", "Location: ", "Location: /1", "Location: /2", "Location: /fixed",
    "Location: //", "Location: http:/", "Set-Cookie: ", "Set-Cookie: a=b; Domain=",
    "Set-Cookie: a=; Max-Age=0; Path=/", "Connection: ", "Connection: keep-alive", "Upgrade: h2c",
    "Content-Type: text/plain; charset=", "Retry-After: ", "WWW-Authenticate: Digest realm=\"",
    "Alt-Svc: h2=\":", "Trailer: ", "Refresh: 0;url=", " folded ", "\t", ": ", "no colon",
};
static const char *const status_lines[] = {
    "HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 301 X", "HTTP/1.1 302 X", "HTTP/1.1 303 X",
    "HTTP/1.1 307 X", "HTTP/1.1 308 X", "HTTP/1.1 204 X", "HTTP/1.1 304 X", "HTTP/1.1 206 X",
    "HTTP/1.1 100 X", "HTTP/1.1 101 X", "HTTP/1.1 401 X", "HTTP/1.1 407 X", "HTTP/1.1 417 X",
    "HTTP/2 200", "HTTP/1.1 099 X", "HTTP/1.1 200", "HTTP/1.1  200 X", "HTTP/0.9 200 X", "",
};
/* clang-format on */

static inline void
add_any_field(struct fuzz_input *in, struct buffer *to, const char *elsewhere)
{
    buffer_adds(to, field_beginnings[take_below(in, COUNT(field_beginnings))]);
    if (take_below(in, 8) == 0)
        buffer_printf(to, "Location: %s/stolen", elsewhere);
    else
        take_text(in, to, 40);
    buffer_adds(to, take_below(in, 8) ? "\r\n" : "\n");
}

static inline void
plan_any(struct fuzz_input *in, struct planned_response *r, const char *elsewhere)
{
    buffer_adds(&r->bytes, status_lines[take_below(in, COUNT(status_lines))]);
    if (take_below(in, 8) == 0)
        take_text(in, &r->bytes, 20);
    buffer_adds(&r->bytes, "\r\n");
    for (size_t i = take_below(in, 8); i > 0; i--)
        add_any_field(in, &r->bytes, elsewhere);
    buffer_adds(&r->bytes, "\r\n");
    for (size_t i = take_below(in, 4); i > 0; i--) {
        if (take_below(in, 2))
            buffer_printf(&r->bytes, "%zx\r\n", take_below(in, 40));
        take_text(in, &r->bytes, 60);
        buffer_adds(&r->bytes, take_below(in, 2) ? "\r\n" : "0\r\n\r\n");
    }
}

/* Frames of HTTP/2, the server's SETTINGS first (RFC 9113 section 4.1). */
static inline void
plan_http2(struct fuzz_input *in, struct planned_response *r)
{
    static const char settings[] = "\0\0\0\4\0\0\0\0\0", head[] = "\0\0\1\1\4\0\0\0\1\x88";

    r->is_http2 = true;
    buffer_add(&r->bytes, settings, sizeof settings - 1);
    if (take_below(in, 2))
        buffer_add(&r->bytes, head, sizeof head - 1);
    for (size_t i = take_below(in, 6); i > 0; i--) {
        struct buffer payload;
        char type = (char)take_below(in, 11), flags = (char)take_byte(in);
        char stream = (char)take_below(in, 4);

        buffer_init(&payload, SIZE_MAX / 2);
        take_text(in, &payload, 80);
        buffer_add(&r->bytes,
                   (const char[]){ 0, 0, (char)payload.len, type, flags, 0, 0, 0, stream }, 9);
        buffer_add(&r->bytes, payload.data, payload.len);
        buffer_free(&payload);
    }
}

/* -- the plan --------------------------------------------------------------- */

static inline void
plan_response(struct fuzz_input *in, struct planned_response *r, size_t number,
              const char *elsewhere)
{
    size_t kind = take_below(in, 16);

    *r = (struct planned_response){ .piece = 1 + take_below(in, 4096) };
    buffer_init(&r->bytes, SIZE_MAX / 2);
    buffer_init(&r->body, SIZE_MAX / 2);
    r->reset = take_below(in, 4) == 0;
    if (kind < 3 && number + 1 < PLAN_RESPONSES)
        plan_redirect(in, r, number + 1);
    else if (kind < 8)
        plan_true(in, r);
    else if (kind < 13)
        plan_any(in, r, elsewhere);
    else if (kind == 13)
        plan_http2(in, r);
    else
        take_text(in, &r->bytes, 300);
}

/* `elsewhere`: another origin, to which it may redirect. */
static inline void
plan_origin(struct fuzz_input *in, struct origin_plan *plan, const char *elsewhere)
{
    for (size_t i = 0; i < PLAN_RESPONSES; i++)
        plan_response(in, &plan->responses[i], i, elsewhere);
}

static inline void
plan_destroy(struct origin_plan *plan)
{
    for (size_t i = 0; i < PLAN_RESPONSES; i++) {
        buffer_free(&plan->responses[i].bytes);
        buffer_free(&plan->responses[i].body);
    }
}

#endif
