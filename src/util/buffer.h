/*
 * buffer.h - bytes that grow up to a limit.
 *
 * A failed append marks the buffer and every later append does nothing, so a
 * caller writes a whole document and asks buffer_ok() once, at the end.
 */
#ifndef UTIL_BUFFER_H
#define UTIL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    char *data; /* owned; NUL-terminated once anything is in it */
    size_t len;
    size_t cap;
    size_t max;  /* len never exceeds this */
    bool failed; /* out of memory, or past max */
};

void buffer_init(struct buffer *b, size_t max);

/* Leaves it empty and usable. */
void buffer_free(struct buffer *b);

/* Empty, not failed; keeps its memory. */
void buffer_clear(struct buffer *b);

/* Likewise, but keeps its memory only up to `keep` bytes. */
void buffer_reset(struct buffer *b, size_t keep);

/* Gives back the memory past `keep` bytes of one that is empty, but never all of it. */
void buffer_shrink(struct buffer *b, size_t keep);

/* A hint: about n more bytes will be added. */
void buffer_expect(struct buffer *b, size_t n);

/* The next n bytes will find their memory there.  -1: there is none, or n is past max. */
int buffer_reserve(struct buffer *b, size_t n) __attribute__((warn_unused_result));

/* The slow path of buffer_add(). */
void buffer_grow_add(struct buffer *b, const void *p, size_t n);

/* n in decimal, with zeros in front up to `digits` (at most 20) digits. */
void buffer_add_digits(struct buffer *b, uint64_t n, int digits);

void buffer_add_integer(struct buffer *b, int64_t n);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forget the first n bytes. */
void buffer_drop(struct buffer *b, size_t n);

/* Room for n more bytes to be written at data + len, or NULL; the caller then raises len. */
char *buffer_room(struct buffer *b, size_t n);

bool buffer_ok(const struct buffer *b);

/* The caller frees; NULL where nothing is in it. */
char *buffer_steal(struct buffer *b, size_t *len);

/* Inline: an envelope is some two hundred of these, most of a length known at compile time. */
static inline void
buffer_add(struct buffer *b, const void *p, size_t n)
{
    if (b->failed || n >= b->cap - b->len || n > b->max - b->len) {
        buffer_grow_add(b, p, n);
        return;
    }
    if (n > 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

static inline void
buffer_adds(struct buffer *b, const char *s)
{
    buffer_add(b, s, strlen(s));
}

static inline void
buffer_addc(struct buffer *b, char c)
{
    buffer_add(b, &c, 1);
}

#endif
