/* utf8.c - UTF-8 (RFC 3629) checked, cut, and repaired. */

#include "util/utf8.h"

#include <stdint.h>
#include <string.h>

#define BLOCK         32 /* bytes looked at together */
#define EACH_HIGH_BIT UINT64_C(0x8080808080808080)

/*
 * Length of the character at s, n > 0; 0 where it is broken, and then *broken
 * is how many bytes one U+FFFD stands for (Unicode 15, table 3-7 and page 126).
 */
static size_t
character(const unsigned char *s, size_t n, size_t *broken)
{
    size_t len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    unsigned char low = 0x80, high = 0xBF; /* of the second byte */

    *broken = 1;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0; /* else overlong */
    else if (s[0] == 0xED)
        high = 0x9F; /* else a surrogate */
    else if (s[0] == 0xF0)
        low = 0x90; /* else overlong */
    else if (s[0] == 0xF4)
        high = 0x8F; /* else above U+10FFFF */

    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xBF) {
        if (i >= n || s[i] < low || s[i] > high)
            return 0;
        *broken = i + 1;
    }
    return len;
}

static bool
block_ascii(const unsigned char *s)
{
    uint64_t words[BLOCK / sizeof(uint64_t)];

    memcpy(words, s, BLOCK);
    return ((words[0] | words[1] | words[2] | words[3]) & EACH_HIGH_BIT) == 0;
}

/* Most text is ASCII: step over many bytes at a time. */
static size_t
ascii(const unsigned char *s, size_t n)
{
    size_t i = 0;
    uint64_t word;

    while (n - i >= BLOCK && block_ascii(s + i))
        i += BLOCK;
    for (; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if (word & EACH_HIGH_BIT)
            break;
    }
    if (i > 0 && n - i < sizeof word) { /* the last ones together with some before them */
        memcpy(&word, s + n - sizeof word, sizeof word);
        if ((word & EACH_HIGH_BIT) == 0)
            return n;
    }
    while (i < n && s[i] < 0x80)
        i++;
    return i;
}

static size_t
prefix(const unsigned char *s, size_t n, size_t *broken)
{
    size_t i = 0;

    for (;;) {
        size_t len;

        i += ascii(s + i, n - i);
        if (i == n || (len = character(s + i, n - i, broken)) == 0)
            return i;
        i += len;
    }
}

size_t
utf8_prefix(const char *bytes, size_t n)
{
    size_t broken;

    return n > 0 ? prefix((const unsigned char *)bytes, n, &broken) : 0; /* of NULL, too */
}

bool
utf8_valid(const char *bytes, size_t n)
{
    return utf8_prefix(bytes, n) == n;
}

size_t
utf8_cut(const char *bytes, size_t n)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t back = 1;

    while (back < 4 && back < n && (s[n - back] & 0xC0) == 0x80)
        back++;
    if (n == 0 || s[n - back] < 0xC0)
        return n;
    return back < (s[n - back] < 0xE0 ? 2u : s[n - back] < 0xF0 ? 3u : 4u) ? n - back : n;
}

void
utf8_replace(struct buffer *to, const char *bytes, size_t n)
{
    size_t broken;

    while (n > 0) {
        size_t good = prefix((const unsigned char *)bytes, n, &broken);

        buffer_add(to, bytes, good);
        if (good == n)
            return;
        buffer_add(to, "\xEF\xBF\xBD", 3);
        bytes += good + broken;
        n -= good + broken;
    }
}
