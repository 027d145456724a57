/*
 * base64.h - RFC 4648 section 4, with padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

void base64_encode(struct buffer *to, const void *bytes, size_t n);
int base64_decode(struct buffer *to, const char *text, size_t n); /* -1: not base64 (no blanks, padding whole) */

#endif
