/*
 * field_syntax.c - what a header field's name and value may hold (RFC 9110 sections 5.1 and 5.5).
 */

#include "http/field_syntax.h"

#include <string.h>

bool
field_syntax_is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        bool letter = (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z';

        if (!letter && !(*text >= '0' && *text <= '9') && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

static bool
is_control(char c)
{
    unsigned char u = (unsigned char)c;

    return (u < 0x20 && u != '\t') || u == 0x7f;
}

void
field_syntax_add_value(struct buffer *to, const char *text)
{
    for (const char *end = text; *text != '\0'; text = end) {
        while (*end != '\0' && !is_control(*end))
            end++;
        buffer_add(to, text, (size_t)(end - text));
        for (; is_control(*end) && *end != '\0'; end++)
            buffer_addc(to, ' ');
    }
}
