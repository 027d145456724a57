/*
 * charset.h - bytes in the charset that their sender named, as JSON text.
 */
#ifndef CODING_CHARSET_H
#define CODING_CHARSET_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define CHARSET_SIZE 64 /* of a name, with its NUL; a longer one counts as none */

/* The charset parameter of a Content-Type, in lower case.  false: none, or no token. */
bool charset_declared(char name[CHARSET_SIZE], const char *content_type);
bool charset_is_utf8(const char *name);

/*
 * Append the bytes as one quoted JSON string.  false, with `to` as it was: they do not decode, or
 * the C library does not know the charset.
 */
bool charset_add(struct buffer *to, const char *name, const char *bytes, size_t n);

/* The same, with U+FFFD for what does not decode; an unknown charset is taken for UTF-8. */
void charset_add_replacing(struct buffer *to, const char *name, const char *bytes, size_t n);

/* Text of a response's head: UTF-8, else ISO-8859-1; NULL is null. */
void charset_add_head(struct buffer *to, const char *text);

#endif
