/*
 * decode.c - a decoder of content codings with a sink that keeps what comes, or pauses, or stops.
 */

#include "support/decode.h"

#include <criterion/criterion.h>
#include <string.h>

void
decode_open(struct decode *d, const char *codings)
{
    struct headers head = { 0 };
    struct content_encoding e;

    memset(d, 0, sizeof *d);
    buffer_init(&d->out, SIZE_MAX);
    headers_add(&head, "Content-Encoding", 16, codings, strlen(codings));
    cr_assert_eq(content_encoding_parse(&e, &head, true, &d->err), 0);
    cr_assert_gt(e.count, 0);
    d->decoder = content_coding_new(&e);
    cr_assert_not_null(d->decoder);
    content_encoding_destroy(&e);
    headers_destroy(&head);
}

void
decode_close(struct decode *d)
{
    content_coding_free(d->decoder);
    buffer_free(&d->out);
}

static enum coding_result
on_slice(const char *bytes, size_t n, void *arg)
{
    struct decode *d = arg;

    cr_assert(n > 0 && n <= CONTENT_CODING_SLICE);
    d->calls++;
    d->largest = n > d->largest ? n : d->largest;
    if (d->pauses && (d->was_paused = !d->was_paused))
        return CODING_PAUSED;
    buffer_add(&d->out, bytes, n);
    return d->stop_at > 0 && d->out.len >= d->stop_at ? CODING_STOPPED : CODING_OK;
}

enum coding_result
decode_once(struct decode *d, const char *bytes, size_t n)
{
    return content_coding_write(d->decoder, bytes, n, on_slice, d, &d->err);
}

enum coding_result
decode_resume(struct decode *d)
{
    return content_coding_resume(d->decoder, on_slice, d, &d->err);
}

enum coding_result
decode_feed(struct decode *d, const char *bytes, size_t n, size_t piece)
{
    enum coding_result result = CODING_OK;

    for (size_t at = 0, size = 0; at < n;) {
        size = size + piece < n - at ? size + piece : n - at;
        result = decode_once(d, bytes + at, size);
        if (result == CODING_OK) {
            at += size;
            size = 0;
        } else if (result == CODING_YIELDED) {
            d->yields++;
        } else if (result != CODING_PAUSED) {
            break;
        }
    }
    return result;
}

enum coding_result
decode_all(struct decode *d, const char *bytes, size_t n)
{
    enum coding_result result = decode_feed(d, bytes, n, n);

    if (result == CODING_OK && content_coding_finish(d->decoder, &d->err) != 0)
        return CODING_FAILED;
    return result;
}
