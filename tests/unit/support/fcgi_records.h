/*
 * fcgi_records.h - FastCGI records as a web server writes them (FastCGI 1.0, sections 3.3 to 5.5).
 */
#ifndef SUPPORT_FCGI_RECORDS_H
#define SUPPORT_FCGI_RECORDS_H

#include "util/buffer.h"

#include <fastcgi.h>
#include <string.h>

static inline void
record(struct buffer *b, int type, int id, const void *content, size_t n, size_t padding)
{
    const unsigned char header[FCGI_HEADER_LEN] = { FCGI_VERSION_1,           (unsigned char)type,
                                                    (unsigned char)(id >> 8), (unsigned char)id,
                                                    (unsigned char)(n >> 8),  (unsigned char)n,
                                                    (unsigned char)padding };

    buffer_add(b, header, sizeof header);
    if (n > 0)
        buffer_add(b, content, n);
    for (size_t i = 0; i < padding; i++)
        buffer_addc(b, 'p');
}

static inline void
begin(struct buffer *b, int id, int role, bool keep)
{
    const unsigned char body[8] = { 0, (unsigned char)role, keep };

    record(b, FCGI_BEGIN_REQUEST, id, body, sizeof body, 0);
}

static inline void
param_length(struct buffer *b, size_t n)
{
    const unsigned char big[4] = { (unsigned char)(0x80 | n >> 24), (unsigned char)(n >> 16),
                                   (unsigned char)(n >> 8), (unsigned char)n };

    if (n < 128)
        buffer_addc(b, (char)n);
    else
        buffer_add(b, big, sizeof big);
}

static inline void
param(struct buffer *b, int id, const char *name, const char *value)
{
    struct buffer pair;

    buffer_init(&pair, 1 << 20);
    param_length(&pair, strlen(name));
    param_length(&pair, strlen(value));
    buffer_adds(&pair, name);
    buffer_adds(&pair, value);
    for (size_t at = 0, n; at < pair.len; at += n) {
        n = pair.len - at < FCGI_MAX_LENGTH ? pair.len - at : FCGI_MAX_LENGTH;
        record(b, FCGI_PARAMS, id, pair.data + at, n, 0);
    }
    buffer_free(&pair);
}

static inline void
body(struct buffer *b, int id, const char *text)
{
    record(b, FCGI_STDIN, id, text, strlen(text), 0);
}

static inline void
end_of(struct buffer *b, int type, int id)
{
    record(b, type, id, NULL, 0, 0);
}

#endif
