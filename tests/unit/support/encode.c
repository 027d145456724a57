/* encode.c - bodies with a content coding, made by the libraries' own encoders. */

#define ZLIB_CONST

#include "support/encode.h"

#include <brotli/encode.h>
#include <criterion/criterion.h>
#include <zlib.h>
#include <zstd.h>

void
encode_deflate(struct buffer *to, int window_bits, const void *bytes, size_t n)
{
    z_stream z = { .next_in = bytes, .avail_in = (uInt)n };
    size_t room;

    cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    room = deflateBound(&z, n);
    z.next_out = (Bytef *)buffer_room(to, room);
    z.avail_out = (uInt)room;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->len += room - z.avail_out;
    deflateEnd(&z);
}

void
encode_brotli(struct buffer *to, int window_bits, bool large, const void *bytes, size_t n)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    size_t room = n + n / 8 + 1024, max = room;
    const uint8_t *in = bytes;
    uint8_t *out = (uint8_t *)buffer_room(to, room);

    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, 4);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LARGE_WINDOW, large);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, (uint32_t)window_bits);
    cr_assert(
        BrotliEncoderCompressStream(state, BROTLI_OPERATION_FINISH, &n, &in, &room, &out, NULL));
    cr_assert(BrotliEncoderIsFinished(state));
    to->len += max - room;
    BrotliEncoderDestroyInstance(state);
}

void
encode_zstd(struct buffer *to, int window_log, const void *bytes, size_t n)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(n), size;

    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    size = ZSTD_compress2(context, buffer_room(to, room), room, bytes, n);
    cr_assert_not(ZSTD_isError(size), "%s", ZSTD_getErrorName(size));
    to->len += size;
    ZSTD_freeCCtx(context);
}

void
encode(struct buffer *to, enum encode_format format, const void *bytes, size_t n)
{
    if (format == ENCODE_BROTLI)
        encode_brotli(to, 18, false, bytes, n);
    else if (format == ENCODE_ZSTD)
        encode_zstd(to, 20, bytes, n);
    else
        encode_deflate(to, format == ENCODE_GZIP ? 31 : format == ENCODE_ZLIB ? 15 : -15, bytes, n);
}

void
encode_make_text(struct buffer *to, size_t n)
{
    uint32_t random = 1;
    char *text = buffer_room(to, n);

    for (size_t i = 0; i < n; i++) {
        random = random * 1664525u + 1013904223u;
        text[i] = " etaoinsrhdlucm\n"[random >> 28];
    }
    to->len += n;
}
