/* json_write.c - JSON values, written straight into a buffer. */

#include "message/json.h"

#include <stdio.h>
#include <stdlib.h>
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

/* A loop of a fixed length and without a branch, which compilers make vector instructions of. */
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
json_add_escaped(struct buffer *to, const char *text, size_t n)
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
json_add_text(struct buffer *to, const char *text, size_t n)
{
    buffer_addc(to, '"');
    json_add_escaped(to, text, n);
    buffer_addc(to, '"');
}

/* -- numbers ------------------------------------------------------------ */

void
json_add_integer(struct buffer *to, int64_t n)
{
    buffer_add_integer(to, n);
}

void
json_add_seconds(struct buffer *to, double seconds)
{
    int64_t us = seconds > 0 && seconds < 9e12 ? (int64_t)(seconds * 1e6 + 0.5) : 0;
    int64_t fraction = us % 1000000;
    char text[7] = ".000000";
    size_t n = sizeof text;

    for (size_t i = n - 1; i > 0; i--, fraction /= 10)
        text[i] = (char)('0' + fraction % 10);
    while (n > 2 && text[n - 1] == '0')
        n--;
    json_add_integer(to, us / 1000000);
    buffer_add(to, text, n);
}

/* jansson writes 17 digits unless told otherwise: 19.99 would leave as 19.989999999999998. */
static void
add_real(struct buffer *to, const json_t *value)
{
    double x = json_real_value(value);
    unsigned digits = 15;
    char text[40];
    size_t n;

    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", (int)digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    n = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    buffer_add(to, text, n < sizeof text ? n : sizeof text);
}

/* -- any value ---------------------------------------------------------- */

static void
add_object(struct buffer *to, const json_t *object)
{
    const char *separator = "", *key;
    json_t *value;

    buffer_addc(to, '{');
    json_object_foreach((json_t *)object, key, value)
    {
        buffer_adds(to, separator);
        json_add_text(to, key, strlen(key));
        buffer_addc(to, ':');
        json_add_value(to, value);
        separator = ",";
    }
    buffer_addc(to, '}');
}

static void
add_array(struct buffer *to, const json_t *array)
{
    buffer_addc(to, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buffer_addc(to, ',');
        json_add_value(to, json_array_get(array, i));
    }
    buffer_addc(to, ']');
}

void
json_add_value(struct buffer *to, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object(to, value);
        break;
    case JSON_ARRAY:
        add_array(to, value);
        break;
    case JSON_STRING:
        json_add_text(to, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        json_add_integer(to, json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(to, value);
        break;
    case JSON_TRUE:
        buffer_adds(to, "true");
        break;
    case JSON_FALSE:
        buffer_adds(to, "false");
        break;
    case JSON_NULL:
        buffer_adds(to, "null");
        break;
    }
}
