/* json_text.c - JSON strings and numbers, written straight into a buffer. */

#include "util/json_text.h"

#include "util/utf8.h"

#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define BLOCK      32 /* bytes looked at together */

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

/* One byte, as it is or escaped: up to 6 bytes.  Returns where the next one goes. */
static char *
escape(char *to, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", as[] = "\"\\nrtbf", hex[] = "0123456789abcdef";
    const char *named;

    if (c >= 0x20 && c != '"' && c != '\\') {
        *to++ = (char)c;
        return to;
    }
    if (c != '\0' && (named = strchr(from, c)) != NULL) {
        *to++ = '\\';
        *to++ = as[named - from];
        return to;
    }
    memcpy(to, "\\u00", 4);
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return to + 6;
}

/* Up to BLOCK bytes, eight at a time, by way of the stack. */
static void
add_mixed(struct buffer *to, const char *text, size_t n)
{
    char work[BLOCK * 6 + 8], *p = work;

    while (n > 0) {
        size_t step = n < 8 ? n : 8;
        uint64_t word = EACH(' '); /* plain, where the text is shorter */

        memcpy(&word, text, step);
        if (all_plain(word)) {
            memcpy(p, &word, 8);
            p += step;
        } else {
            for (size_t i = 0; i < step; i++)
                p = escape(p, (unsigned char)text[i]);
        }
        text += step;
        n -= step;
    }
    buffer_add(to, work, (size_t)(p - work));
}

/* A loop of fixed length without branches: compilers vectorize it. */
static bool
block_plain(const char *text)
{
    unsigned char odd = 0;

    for (int i = 0; i < BLOCK; i++) {
        unsigned char c = (unsigned char)text[i];

        odd |= (unsigned char)((c < 0x20) | (c == '"') | (c == '\\'));
    }
    return odd == 0;
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
