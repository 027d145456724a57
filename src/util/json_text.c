/* json_text.c - JSON strings and numbers, written straight into a buffer. */

#include "util/json_text.h"

#include "util/utf8.h"

#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define BLOCK      32 /* bytes looked at together */

typedef unsigned char bytes16 __attribute__((vector_size(16)));

_Static_assert(BLOCK == 2 * sizeof(bytes16), "block_plain() looks at two vectors");

/* -- text --------------------------------------------------------------- */

/* The high bit of every byte of `word` below `limit` (at most 0x80), and maybe of later ones. */
static uint64_t
below(uint64_t word, unsigned limit)
{
    return (word - EACH(limit)) & ~word & EACH(0x80);
}

static bool
all_plain(uint64_t word)
{
    return (below(word, 0x20) | below(word ^ EACH('"'), 1) | below(word ^ EACH('\\'), 1)) == 0;
}

/* Up to 6 bytes.  Returns where the next one goes. */
static char *
escape(char *to, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", as[] = "\"\\nrtbf", hex[] = "0123456789abcdef";
    const char *named = c != '\0' ? strchr(from, c) : NULL;

    if (named != NULL) {
        *to++ = '\\';
        *to++ = as[named - from];
        return to;
    }
    memcpy(to, "\\u00", 4);
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return to + 6;
}

/* Each as it is, or escaped. */
static inline char *
put_bytes(char *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            *to++ = (char)c;
        else
            to = escape(to, c);
    }
    return to;
}

/* Up to BLOCK bytes, eight at a time.  Returns where the next one goes. */
static char *
put_mixed(char *p, const char *text, size_t n)
{
    size_t i = 0;

    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        if (all_plain(word)) {
            memcpy(p, &word, sizeof word);
            p += sizeof word;
        } else {
            p = put_bytes(p, text + i, sizeof word);
        }
    }
    return put_bytes(p, text + i, n - i);
}

/* Straight into the buffer, where it has room for the worst case; else by way of the stack. */
static void
add_mixed(struct buffer *to, const char *text, size_t n)
{
    char work[BLOCK * 6];

    if (!to->failed && to->cap - to->len > n * 6 && to->max - to->len >= n * 6) {
        char *end = put_mixed(to->data + to->len, text, n);

        *end = '\0';
        to->len = (size_t)(end - to->data);
    } else {
        buffer_add(to, work, (size_t)(put_mixed(work, text, n) - work));
    }
}

/*
 * GCC and clang make of it a few instructions of the processor's 16-byte vectors, where it has them
 * (gcc.gnu.org, "Vector Extensions"); of a plain loop they make 5 for each byte at -O2.
 */
static bool
block_plain(const char *text)
{
    bytes16 a, b;
    uint64_t halves[2];

    memcpy(&a, text, sizeof a);
    memcpy(&b, text + sizeof a, sizeof b);
    a = (bytes16)((a < 0x20) | (a == '"') | (a == '\\') | (b < 0x20) | (b == '"') | (b == '\\'));
    memcpy(halves, &a, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

void
json_text_add_escaped(struct buffer *to, const char *text, size_t n)
{
    while (n > 0) {
        size_t plain = 0, rest;

        while (n - plain >= BLOCK && block_plain(text + plain))
            plain += BLOCK;
        rest = n - plain < BLOCK ? n - plain : BLOCK;
        buffer_add(to, text, plain);
        add_mixed(to, text + plain, rest);
        text += plain + rest;
        n -= plain + rest;
    }
}

void
json_text_add(struct buffer *to, const char *text, size_t n)
{
    buffer_addc(to, '"');
    json_text_add_escaped(to, text, n);
    buffer_addc(to, '"');
}

/* -- text for a log ------------------------------------------------------ */

/* The length of a line break beyond ASCII (NEL, LS, PS), which many log readers honour; or 0. */
static size_t
line_break_length(const char *c)
{
    if (strncmp(c, "\xc2\x85", 2) == 0)
        return 2;
    return strncmp(c, "\xe2\x80\xa8", 3) == 0 || strncmp(c, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

/* Bytes from the start that are no control character, line break, or byte beyond UTF-8. */
static size_t
plain_length(const char *text, bool utf8)
{
    size_t n = 0;

    for (; (unsigned char)text[n] >= 0x20 && text[n] != 0x7f; n++)
        if ((unsigned char)text[n] >= 0x80 && (!utf8 || line_break_length(text + n) > 0))
            break;
    return n;
}

/* What ended plain_length().  Returns its length. */
static size_t
add_special(struct buffer *to, const char *c, bool utf8)
{
    size_t n = utf8 ? line_break_length(c) : 0;

    if (n == 3)
        buffer_adds(to, c[2] == '\xa8' ? "\\u2028" : "\\u2029");
    else
        buffer_printf(to, "\\u%04x", (unsigned char)c[n == 2 ? 1 : 0]);
    return n > 0 ? n : 1;
}

void
json_text_add_line(struct buffer *to, const char *text)
{
    bool utf8 = utf8_valid(text, strlen(text));

    buffer_addc(to, '"');
    while (*text != '\0') {
        size_t n = plain_length(text, utf8);

        json_text_add_escaped(to, text, n);
        text += n;
        if (*text != '\0')
            text += add_special(to, text, utf8);
    }
    buffer_addc(to, '"');
}

/* -- numbers ------------------------------------------------------------- */

void
json_text_add_seconds(struct buffer *to, double seconds)
{
    int64_t us = seconds > 0 && seconds < 9e12 ? (int64_t)(seconds * 1e6 + 0.5) : 0;
    int64_t fraction = us % 1000000;
    char text[7] = ".000000";
    size_t n = sizeof text;

    for (size_t i = n - 1; i > 0; i--, fraction /= 10)
        text[i] = (char)('0' + fraction % 10);
    while (n > 2 && text[n - 1] == '0')
        n--;
    buffer_add_integer(to, us / 1000000);
    buffer_add(to, text, n);
}
