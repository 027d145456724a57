/* base64.c - RFC 4648 section 4, with padding. */

#include "util/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buffer *to, const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    size_t size = n / 3 * 4 + (n % 3 > 0 ? 4 : 0);
    char *p = n > SIZE_MAX / 2 ? NULL : buffer_room(to, size);

    if (p == NULL) {
        to->failed = true;
        return;
    }
    for (; n >= 3; n -= 3, s += 3, p += 4) {
        p[0] = digits[s[0] >> 2];
        p[1] = digits[(s[0] & 0x03) << 4 | s[1] >> 4];
        p[2] = digits[(s[1] & 0x0F) << 2 | s[2] >> 6];
        p[3] = digits[s[2] & 0x3F];
    }
    if (n > 0) {
        unsigned second = n == 2 ? s[1] : 0;

        p[0] = digits[s[0] >> 2];
        p[1] = digits[(s[0] & 0x03) << 4 | second >> 4];
        p[2] = n == 2 ? digits[(second & 0x0F) << 2] : '=';
        p[3] = '=';
    }
    to->len += size;
    to->data[to->len] = '\0';
}

/* The six bits of a digit; -1: none. */
static int
value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits to three bytes; the last `padding` digits are "=". */
static int
quartet(unsigned char *p, const char *text, size_t padding)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int v = i < 4 - padding ? value(text[i]) : 0;

        if (v < 0)
            return -1;
        bits = bits << 6 | (uint32_t)v;
    }
    p[0] = (unsigned char)(bits >> 16);
    p[1] = (unsigned char)(bits >> 8);
    p[2] = (unsigned char)bits;
    return 0;
}

int
base64_decode(struct buffer *to, const char *text, size_t n)
{
    size_t padding = 0, size;
    char *p;

    if (n % 4 != 0)
        return -1;
    if (n > 0 && text[n - 1] == '=')
        padding = text[n - 2] == '=' ? 2 : 1;
    size = n / 4 * 3 - padding;
    if ((p = buffer_room(to, size)) == NULL)
        return -1;
    for (size_t i = 0; i < n; i += 4, p += 3) {
        bool last = i + 4 == n;
        unsigned char three[3];

        if (quartet(three, text + i, last ? padding : 0) != 0) {
            to->data[to->len] = '\0'; /* as if nothing had been written */
            return -1;
        }
        memcpy(p, three, last ? 3 - padding : 3);
    }
    to->len += size;
    to->data[to->len] = '\0';
    return 0;
}
