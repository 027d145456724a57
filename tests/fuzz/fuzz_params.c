/*
 * fuzz_params.c - any bytes as FastCGI parameters: in pieces as in one, and as a slow reading of
 * the whole says (FastCGI 1.0, section 3.4).
 */

#include "fastcgi/params.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A length at *at; false: the bytes end within it. */
static bool
read_length(const uint8_t **at, const uint8_t *end, size_t *n)
{
    const uint8_t *b = *at;

    if (b < end && b[0] < 128) {
        *n = b[0];
        *at = b + 1;
        return true;
    }
    if (end - b < 4)
        return false;
    *n = (size_t)(b[0] & 127) << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    *at = b + 4;
    return true;
}

/* Are they whole pairs that a C string "name=value" can hold? */
static bool
are_whole_pairs(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        size_t name, value;

        if (!read_length(&at, end, &name) || !read_length(&at, end, &value) || name > PARAMS_MAX ||
            value > PARAMS_MAX || (size_t)(end - at) < name + value)
            return false;
        if (memchr(at, '\0', name + value) != NULL || memchr(at, '=', name) != NULL)
            return false;
        at += name + value;
    }
    return true;
}

static bool
is_accepted(const uint8_t *data, size_t size, size_t piece)
{
    struct params p = { 0 };

    for (size_t at = 0; at < size; at += piece)
        if (!params_feed(&p, (const char *)data + at, size - at < piece ? size - at : piece))
            return false;
    return params_between(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    size_t piece = 1 + take_byte(&in);
    bool whole = is_accepted(in.at, in.left, in.left + 1);

    check_that(whole == are_whole_pairs(in.at, in.at + in.left), "the pairs", "");
    check_that(whole == is_accepted(in.at, in.left, piece), "in pieces", "");
    check_that(whole == is_accepted(in.at, in.left, 1), "byte by byte", "");
    return 0;
}
