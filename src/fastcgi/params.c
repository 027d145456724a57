/* params.c - the name-value pairs of a request, measured before libfcgi reads them. */

#include "fastcgi/params.h"

#include <string.h>

#define LENGTH_BIG     0x80 /* a length of four bytes */
#define LENGTH_BIG_MAX 4

/* A length is whole: now the value's length, or the name and the value themselves. */
static bool
take_length(struct params *p)
{
    const unsigned char *b = p->length;
    uint32_t n = b[0];

    if (p->length_size == LENGTH_BIG_MAX)
        n = ((uint32_t)(b[0] & 0x7f) << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
    if (n > PARAMS_MAX)
        return false;
    if (p->in_value_length)
        p->value_left = n;
    else
        p->name_left = n;
    p->in_value_length = !p->in_value_length;
    p->length_len = 0;
    return true;
}

static bool
feed_length(struct params *p, unsigned char c)
{
    if (p->length_len == 0)
        p->length_size = c & LENGTH_BIG ? LENGTH_BIG_MAX : 1;
    p->length[p->length_len++] = c;
    return p->length_len < p->length_size || take_length(p);
}

/* libfcgi makes C strings "name=value" of them: no NUL, and no "=" in a name. */
static bool
feed_text(const char *bytes, size_t n, bool name)
{
    return memchr(bytes, '\0', n) == NULL && (!name || memchr(bytes, '=', n) == NULL);
}

bool
params_feed(struct params *p, const char *bytes, size_t n)
{
    p->bytes += n;
    if (p->bytes > PARAMS_MAX)
        return false;
    while (n > 0) {
        bool lengths = p->in_value_length || (p->name_left == 0 && p->value_left == 0);
        bool name = p->name_left > 0;
        uint32_t *left = name ? &p->name_left : &p->value_left;
        size_t take = lengths ? 1 : n < *left ? n : *left;

        if (lengths ? !feed_length(p, (unsigned char)*bytes) : !feed_text(bytes, take, name))
            return false;
        if (!lengths)
            *left -= (uint32_t)take;
        bytes += take;
        n -= take;
    }
    return true;
}

bool
params_between(const struct params *p)
{
    return p->length_len == 0 && !p->in_value_length && p->name_left == 0 && p->value_left == 0;
}
