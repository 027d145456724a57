/* params.c - the name-value pairs of a request, checked before libfcgi reads them. */

#include "fastcgi/params.h"

#include <string.h>

#define LENGTH_BIG     0x80 /* a length of four bytes */
#define LENGTH_BIG_MAX 4

/* A length is complete: next is the value's length, or the name and the value themselves. */
static bool
take_length(struct params *params)
{
    const unsigned char *b = params->length;
    uint32_t n = b[0];

    if (params->length_size == LENGTH_BIG_MAX)
        n = ((uint32_t)(b[0] & 0x7f) << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
    if (n > PARAMS_MAX)
        return false;
    if (params->in_value_length) {
        params->value_left = n;
        params->pairs++;
    } else {
        params->name_left = n;
    }
    params->in_value_length = !params->in_value_length;
    params->length_len = 0;
    return true;
}

static bool
feed_length(struct params *params, unsigned char c)
{
    if (params->length_len == 0)
        params->length_size = c & LENGTH_BIG ? LENGTH_BIG_MAX : 1;
    params->length[params->length_len++] = c;
    return params->length_len < params->length_size || take_length(params);
}

/* libfcgi makes C strings "name=value" of them, so NUL and, in a name, "=" are refused. */
static bool
feed_text(const char *bytes, size_t n, bool name)
{
    return memchr(bytes, '\0', n) == NULL && (!name || memchr(bytes, '=', n) == NULL);
}

bool
params_feed(struct params *params, const char *bytes, size_t n)
{
    params->bytes += n;
    if (params->bytes > PARAMS_MAX)
        return false;
    while (n > 0) {
        bool lengths =
            params->in_value_length || (params->name_left == 0 && params->value_left == 0);
        bool name = params->name_left > 0;
        uint32_t *left = name ? &params->name_left : &params->value_left;
        size_t take = lengths ? 1 : n < *left ? n : *left;

        if (lengths ? !feed_length(params, (unsigned char)*bytes) : !feed_text(bytes, take, name))
            return false;
        if (!lengths)
            *left -= (uint32_t)take;
        bytes += take;
        n -= take;
    }
    return true;
}

bool
params_between(const struct params *params)
{
    return params->length_len == 0 && !params->in_value_length && params->name_left == 0 &&
           params->value_left == 0;
}
