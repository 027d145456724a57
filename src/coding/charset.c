/* charset.c - bytes in the charset that their sender named, as JSON text. */

#include "coding/charset.h"

#include "util/json_text.h"
#include "util/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#define NO_ICONV    ((iconv_t)(-1))
#define REPLACEMENT "\xEF\xBF\xBD"

/* -- the name ----------------------------------------------------------- */

/* From one parameter's value to the next parameter, past quoted semicolons. */
static const char *
next_parameter(const char *p)
{
    bool quoted = false;

    for (; *p != '\0' && (quoted || *p != ';'); p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return *p == ';' ? p + 1 : NULL;
}

/* Only what iconv_open() cannot take for a suffix such as //TRANSLIT. */
static bool
copy_name(char *to, const char *from)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.:+()";
    size_t n = 0;

    if (*from == '"' || *from == '\'')
        from++;
    for (; *from != '\0' && strchr("\"'; \t", *from) == NULL; from++) {
        char c = *from >= 'A' && *from <= 'Z' ? (char)(*from | 0x20) : *from;

        if (n + 1 == CHARSET_SIZE || strchr(allowed, c) == NULL)
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return n > 0;
}

bool
charset_declared(char name[CHARSET_SIZE], const char *content_type)
{
    const char *p = next_parameter(content_type);

    for (; p != NULL; p = next_parameter(p)) {
        p += strspn(p, " \t");
        if (strncasecmp(p, "charset=", 8) == 0)
            return copy_name(name, p + 8);
    }
    return false;
}

bool
charset_is_utf8(const char *name)
{
    return strcmp(name, "utf-8") == 0 || strcmp(name, "utf8") == 0;
}

/* -- conversion --------------------------------------------------------- */

/*
 * What iconv() made of a piece: glibc turns UCS-4 beyond U+10FFFF into bytes
 * that are no UTF-8, and so no JSON.  false: it did, and U+FFFD stands there.
 */
static bool
add_piece(struct buffer *to, const char *text, const char *end)
{
    bool valid = true;

    for (;;) {
        size_t n = utf8_prefix(text, (size_t)(end - text));

        json_text_add_escaped(to, text, n);
        if ((text += n) == end)
            return valid;
        valid = false;
        json_text_add_escaped(to, REPLACEMENT, sizeof REPLACEMENT - 1);
        do
            text++;
        while (text < end && (*text & 0xC0) == 0x80);
    }
}

/*
 * Through a buffer on the stack, so that the text is never held twice.  What
 * does not decode ends it, or is replaced a byte at a time.
 */
static bool
convert(struct buffer *to, iconv_t cd, const char *bytes, size_t n, bool replace)
{
    char *from = (char *)bytes; /* iconv() does not write there */

    for (bool more = true; more;) {
        char text[4096], *end = text;
        size_t room = sizeof text;
        bool flush = n == 0; /* a state left open may still hold a character */
        size_t rc = iconv(cd, flush ? NULL : &from, flush ? NULL : &n, &end, &room);
        int error = errno;

        if (!add_piece(to, text, end) && !replace)
            return false;
        more = !flush;
        if (rc != (size_t)-1 || error == E2BIG)
            continue;
        if (!replace)
            return false;
        json_text_add_escaped(to, REPLACEMENT, sizeof REPLACEMENT - 1);
        if (error == EINVAL || n == 0) /* cut short: all that is left is one broken character */
            n = 0;
        else
            from++, n--;
    }
    return true;
}

/* NO_ICONV: unknown; or there is no memory for it, and `to` has failed. */
static iconv_t
open_charset(const char *name, struct buffer *to)
{
    iconv_t cd = iconv_open("UTF-8", name);

    to->failed |= cd == NO_ICONV && errno == ENOMEM;
    return cd;
}

bool
charset_add(struct buffer *to, const char *name, const char *bytes, size_t n)
{
    size_t start = to->len;
    iconv_t cd;
    bool whole;

    if (charset_is_utf8(name)) {
        if (!utf8_valid(bytes, n))
            return false;
        json_text_add(to, bytes, n);
        return true;
    }
    if ((cd = open_charset(name, to)) == NO_ICONV)
        return !buffer_ok(to);
    buffer_addc(to, '"');
    if (!(whole = convert(to, cd, bytes, n, false)))
        to->len = start;
    else
        buffer_addc(to, '"');
    iconv_close(cd);
    return whole;
}

void
charset_add_replacing(struct buffer *to, const char *name, const char *bytes, size_t n)
{
    iconv_t cd = charset_is_utf8(name) ? NO_ICONV : open_charset(name, to);
    struct buffer sanitized;

    if (cd != NO_ICONV) {
        buffer_addc(to, '"');
        convert(to, cd, bytes, n, true);
        buffer_addc(to, '"');
        iconv_close(cd);
        return;
    }
    if (utf8_valid(bytes, n)) {
        json_text_add(to, bytes, n);
        return;
    }
    buffer_init(&sanitized, SIZE_MAX);
    utf8_replace(&sanitized, bytes, n);
    if (buffer_ok(&sanitized))
        json_text_add(to, sanitized.data, sanitized.len);
    else
        to->failed = true;
    buffer_free(&sanitized);
}

/* -- heads -------------------------------------------------------------- */

static void
add_latin1(struct buffer *to, const char *text, size_t n)
{
    buffer_addc(to, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        char two[2] = { (char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F)) };

        if (c < 0x80)
            json_text_add_escaped(to, text + i, 1);
        else
            buffer_add(to, two, 2);
    }
    buffer_addc(to, '"');
}

void
charset_add_head(struct buffer *to, const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;

    if (text == NULL)
        buffer_adds(to, "null");
    else if (utf8_valid(text, n))
        json_text_add(to, text, n);
    else
        add_latin1(to, text, n);
}
