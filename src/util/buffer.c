/* buffer.c - bytes that grow up to a limit. */

#include "util/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 256 /* bytes of the first allocation */

/* -- memory ------------------------------------------------------------- */

/* Make room for n more bytes and the NUL.  The second bound keeps len + n + 1 from wrapping. */
static bool
reserve(struct buffer *b, size_t n)
{
    size_t cap = b->cap > 0 ? b->cap : FIRST;

    if (n > b->max - b->len || n > (size_t)PTRDIFF_MAX - 1 - b->len)
        return false;
    while (cap < b->len + n + 1)
        cap *= 2;
    if (cap > b->cap) {
        char *p = realloc(b->data, cap);

        if (p == NULL)
            return false;
        b->data = p;
        b->cap = cap;
    }
    return true;
}

void
buffer_init(struct buffer *b, size_t max)
{
    *b = (struct buffer){ .max = max };
}

void
buffer_free(struct buffer *b)
{
    free(b->data);
    buffer_init(b, b->max);
}

void
buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void
buffer_reset(struct buffer *b, size_t keep)
{
    if (b->cap > keep || b->failed)
        buffer_free(b);
    else
        buffer_clear(b);
}

char *
buffer_room(struct buffer *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (!reserve(b, n)) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->len;
}

void
buffer_shrink(struct buffer *b, size_t keep)
{
    char *p;

    buffer_clear(b);
    if (b->cap <= keep || (p = realloc(b->data, keep)) == NULL)
        return;
    b->data = p;
    b->cap = keep;
}

/* -- adding ------------------------------------------------------------- */

int
buffer_reserve(struct buffer *b, size_t n)
{
    return !b->failed && reserve(b, n) ? 0 : -1;
}

void
buffer_expect(struct buffer *b, size_t n)
{
    if (!b->failed)
        reserve(b, n);
}

void
buffer_grow_add(struct buffer *b, const void *p, size_t n)
{
    char *to = buffer_room(b, n);

    if (to == NULL)
        return;
    if (n > 0)
        memcpy(to, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void
buffer_add_digits(struct buffer *b, uint64_t n, int digits)
{
    char text[20];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0 || sizeof text - at < (size_t)digits);
    buffer_add(b, text + at, sizeof text - at);
}

void
buffer_add_integer(struct buffer *b, int64_t n)
{
    if (n < 0)
        buffer_addc(b, '-');
    buffer_add_digits(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 1);
}

void
buffer_printf(struct buffer *b, const char *format, ...)
{
    char text[256]; /* long enough for most, which are then formatted once */
    va_list ap;
    char *to;
    int n;

    va_start(ap, format);
    n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < sizeof text) {
        buffer_add(b, text, (size_t)n);
    } else if ((to = buffer_room(b, (size_t)n)) != NULL) {
        va_start(ap, format);
        vsnprintf(to, (size_t)n + 1, format, ap);
        va_end(ap);
        b->len += (size_t)n;
    }
}

/* -- taking ------------------------------------------------------------- */

void
buffer_drop(struct buffer *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
    } else {
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
    }
    if (b->data != NULL)
        b->data[b->len] = '\0';
}

bool
buffer_ok(const struct buffer *b)
{
    return !b->failed;
}

char *
buffer_steal(struct buffer *b, size_t *len)
{
    char *p = b->data;

    *len = b->len;
    if (b->len == 0) {
        free(p);
        p = NULL;
    }
    buffer_init(b, b->max);
    return p;
}
