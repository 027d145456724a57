/*
 * base64.h - RFC 4648 section 4, with padding.
 */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include "util/buffer.h"

void base64_encode(struct buffer *to, const void *bytes, size_t n);

/* 0; -1: not base64 (spaces, missing padding), or no room, which buffer_ok() tells apart. */
int base64_decode(struct buffer *to, const char *text, size_t n);

#endif
