/*
 * fuzz_input.h - the bytes of an input, taken one choice after the other; zeros once they are used.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "util/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t
take_byte(struct fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

/* 0 to n - 1; n is at most 65536. */
static inline size_t
take_below(struct fuzz_input *in, size_t n)
{
    size_t high = n > 256 ? take_byte(in) : 0;

    return (high << 8 | take_byte(in)) % n;
}

/* Append up to `most` bytes as they are. */
static inline void
take_text(struct fuzz_input *in, struct buffer *to, size_t most)
{
    size_t n = take_below(in, most + 1);

    n = n < in->left ? n : in->left;
    buffer_add(to, in->at, n);
    in->at += n;
    in->left -= n;
}

/* Up to the next NUL or the end; the caller frees. */
static inline char *
take_string(struct fuzz_input *in)
{
    size_t n = strnlen((const char *)in->at, in->left);
    char *text = strndup((const char *)in->at, n);

    n += n < in->left;
    in->at += n;
    in->left -= n;
    return text;
}

static inline void
check_that(bool ok, const char *what, const char *shown)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s: %s\n", what, shown);
    abort();
}

static inline void
check_holds(bool ok, const char *what)
{
    check_that(ok, what, "");
}

#endif
