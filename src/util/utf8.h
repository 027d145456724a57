/*
 * utf8.h - UTF-8 (RFC 3629) checked, cut, and repaired.
 */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* No overlong forms, no surrogates, nothing above U+10FFFF.  NUL is a character like any other. */
bool utf8_valid(const char *bytes, size_t n);

/* How many bytes from the start are valid: n where all are. */
size_t utf8_prefix(const char *bytes, size_t n);

/* How many of the first n bytes can be kept without cutting a character in two. */
size_t utf8_cut(const char *bytes, size_t n);

/* Append the bytes with U+FFFD for each broken sequence, as Unicode and Python's "replace" do. */
void utf8_replace(struct buffer *to, const char *bytes, size_t n);

#endif
