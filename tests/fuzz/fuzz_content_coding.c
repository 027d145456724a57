/*
 * fuzz_content_coding.c - any bytes under any Content-Encoding: what comes of them is the same in
 * one piece and in many, with pauses and without.
 *
 * The first byte chooses a whole body, which the input then changes byte by byte, or none: then a
 * line of the input is the field and the rest the body. The next two say how it is cut up.
 */

#include "coding/content_coding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH 3000000 /* bytes of output, then the sink stops */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
static const uint8_t two_members[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x2e, 0x2d, 0xca, 0x49, 0x2d,
    0x57, 0x48, 0x46, 0xa6, 0x74, 0x14, 0x12, 0x15, 0xca, 0x13, 0x53, 0x52, 0x8b, 0xac, 0x51, 0xc5,
    0x01, 0xc3, 0x7b, 0x9b, 0x2b, 0x2c, 0x00, 0x00, 0x00, 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x03, 0x4b, 0x2e, 0x2d, 0xca, 0x49, 0x2d, 0x57, 0x48, 0x46, 0xa6, 0x74, 0x14, 0x12,
    0x15, 0xca, 0x13, 0x53, 0x52, 0x8b, 0xac, 0x51, 0xc5, 0x01, 0xc3, 0x7b, 0x9b, 0x2b, 0x2c, 0x00,
    0x00, 0x00,
};
static const uint8_t zlib_stream[] = {
    0x78, 0x9c, 0x4b, 0x2e, 0x2d, 0xca, 0x49, 0x2d, 0x57, 0x48, 0x46, 0xa6, 0x74, 0x14, 0x12, 0x15,
    0xca, 0x13, 0x53, 0x52, 0x8b, 0xac, 0x51, 0xc5, 0x01, 0x73, 0xd2, 0x10, 0x76,
};
static const uint8_t raw_stream[] = {
    0x4b, 0x2e, 0x2d, 0xca, 0x49, 0x2d, 0x57, 0x48, 0x46, 0xa6, 0x74, 0x14, 0x12, 0x15, 0xca, 0x13,
    0x53, 0x52, 0x8b, 0xac, 0x51, 0xc5, 0x01,
};
static const uint8_t brotli_stream[] = {
    0x1b, 0x2b, 0x00, 0xf8, 0xc5, 0x6d, 0x6c, 0x5d, 0xf9, 0x8d, 0xd7, 0x5b, 0x52, 0xbe, 0x96, 0x10,
    0x66, 0x21, 0xf1, 0x14, 0x94, 0x01, 0x24, 0x00, 0x42, 0xcf, 0xfb, 0x14, 0x34, 0x05, 0x22, 0x5c,
    0xb9, 0x07,
};
static const uint8_t three_frames[] = {
    0x50, 0x2a, 0x4d, 0x18, 0x01, 0x00, 0x00, 0x00, 0x78, 0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x2c, 0xd5,
    0x00, 0x00, 0x88, 0x63, 0x75, 0x72, 0x6c, 0x65, 0x77, 0x20, 0x2c, 0x20, 0x61, 0x20, 0x77, 0x61,
    0x64, 0x65, 0x72, 0x3b, 0x02, 0x00, 0x3b, 0x65, 0xa4, 0xa3, 0x18, 0x01, 0x84, 0xd6, 0xb4, 0x91,
    0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x2c, 0xd5, 0x00, 0x00, 0x88, 0x63, 0x75, 0x72, 0x6c, 0x65, 0x77,
    0x20, 0x2c, 0x20, 0x61, 0x20, 0x77, 0x61, 0x64, 0x65, 0x72, 0x3b, 0x02, 0x00, 0x3b, 0x65, 0xa4,
    0xa3, 0x18, 0x01, 0x84, 0xd6, 0xb4, 0x91,
};
/* clang-format on */

static const struct {
    const char *field;
    const uint8_t *body;
    size_t n;
} samples[] = {
    { "gzip", two_members, sizeof two_members },   { "deflate", zlib_stream, sizeof zlib_stream },
    { "deflate", raw_stream, sizeof raw_stream },  { "br", brotli_stream, sizeof brotli_stream },
    { "zstd", three_frames, sizeof three_frames },
};

#define SAMPLES (sizeof samples / sizeof samples[0])

/* One way through a decoder, and what came of it. */
struct run {
    struct buffer out;
    unsigned pauses; /* bits, used in turns; 0: none */
    unsigned turn;
    enum coding_result result;
    struct failure err;
};

static enum coding_result
on_slice(const char *bytes, size_t n, void *arg)
{
    struct run *r = arg;

    if (n == 0 || n > CONTENT_CODING_SLICE)
        abort();
    if (r->pauses >> (r->turn++ % 8) & 1)
        return CODING_PAUSED;
    buffer_add(&r->out, bytes, n);
    return r->out.len > ENOUGH ? CODING_STOPPED : CODING_OK;
}

static void
check_failure(const struct run *r)
{
    if (r->err.error != ERROR_PROTOCOL_ERROR && r->err.error != ERROR_INCOMPLETE_BODY)
        abort();
    if (strncmp(r->err.detail, "content-encoding", 16) != 0)
        abort();
}

static void
run(struct run *r, const struct content_encoding *e, const char *bytes, size_t n, size_t piece)
{
    struct content_decoder *d = content_coding_new(e);

    r->result = CODING_OK;
    for (size_t at = 0, size = 0; at < n;) {
        size = size + piece < n - at ? size + piece : n - at;
        r->result = content_coding_write(d, bytes + at, size, on_slice, r, &r->err);
        if (r->result == CODING_STOPPED || r->result == CODING_FAILED)
            break;
        if (r->result == CODING_OK) {
            at += size;
            size = 0;
        }
    }
    if (r->result == CODING_OK && content_coding_finish(d, &r->err) != 0)
        r->result = CODING_FAILED;
    if (r->result == CODING_FAILED)
        check_failure(r);
    content_coding_free(d);
}

/* A library may lose what one call made before it failed, so only whole bodies must be equal. */
static void
compare(const struct run *a, const struct run *b)
{
    size_t n = a->out.len < b->out.len ? a->out.len : b->out.len;

    if (a->result != b->result || a->err.error != b->err.error)
        abort();
    if (a->result == CODING_OK && a->out.len != b->out.len)
        abort();
    if (n > 0 && memcmp(a->out.data, b->out.data, n) != 0)
        abort();
}

static void
run_both_ways(const struct content_encoding *e, const char *bytes, size_t n, const uint8_t *how)
{
    struct run whole = { 0 }, cut = { .pauses = how[1] & 0x7f };

    buffer_init(&whole.out, SIZE_MAX);
    buffer_init(&cut.out, SIZE_MAX);
    run(&whole, e, bytes, n, n);
    run(&cut, e, bytes, n, how[0] + 1u);
    compare(&whole, &cut);
    buffer_free(&whole.out);
    buffer_free(&cut.out);
}

static void
try_body(const char *field, const char *bytes, size_t n, const uint8_t *how)
{
    struct headers head = { 0 };
    struct content_encoding e;
    struct failure err = { 0 };
    int rc;

    headers_add(&head, "Content-Encoding", 16, field, strlen(field));
    rc = content_encoding_parse(&e, &head, true, &err);
    if ((rc != 0) != (e.count > CONTENT_ENCODING_MAX))
        abort();
    if (rc == 0 && e.count > 0)
        run_both_ways(&e, bytes, n, how);
    content_encoding_destroy(&e);
    headers_destroy(&head);
}

/* Pairs of a place and a byte; a place behind the end appends. */
static void
try_sample(size_t which, const uint8_t *changes, size_t n, const uint8_t *how)
{
    struct buffer body;

    buffer_init(&body, SIZE_MAX);
    buffer_add(&body, samples[which].body, samples[which].n);
    for (; n >= 2; changes += 2, n -= 2) {
        if (changes[0] < body.len)
            body.data[changes[0]] = (char)changes[1];
        else
            buffer_addc(&body, (char)changes[1]);
    }
    try_body(samples[which].field, body.data, body.len, how);
    buffer_free(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *how = data + 1, *rest = data + 3, *line;
    char *field;

    if (size < 3)
        return 0;
    size -= 3;
    if (data[0] % (SAMPLES + 1) < SAMPLES) {
        try_sample(data[0] % (SAMPLES + 1), rest, size, how);
        return 0;
    }
    if ((line = memchr(rest, '\n', size)) == NULL)
        return 0;
    field = strndup((const char *)rest, (size_t)(line - rest));
    try_body(field, (const char *)line + 1, size - (size_t)(line + 1 - rest), how);
    free(field);
    return 0;
}
