/*
 * encode.h - bodies with a content coding, made by the libraries' own encoders.
 */
#ifndef SUPPORT_ENCODE_H
#define SUPPORT_ENCODE_H

#include "http/content_encoding.h"
#include "util/buffer.h"

enum encode_format {
    ENCODE_GZIP,
    ENCODE_ZLIB,
    ENCODE_RAW, /* deflate alone */
    ENCODE_BROTLI,
    ENCODE_ZSTD, /* with a checksum */
    ENCODE_FORMATS
};

/* Appends the n bytes, encoded. */
void encode(struct buffer *to, enum encode_format format, const void *bytes, size_t n);

/* The same by one library, with parameters of its own. */
void encode_deflate(struct buffer *to, int window_bits, const void *bytes, size_t n);
void encode_brotli(struct buffer *to, int window_bits, bool large, const void *bytes, size_t n);
void encode_zstd(struct buffer *to, int window_log, const void *bytes, size_t n);

/* Text with words of few letters, which comes down to about a third; always the same. */
void encode_make_text(struct buffer *to, size_t n);

#endif
