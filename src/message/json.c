/* json.c - reading JSON strictly, and writing any value. */

#include "message/json.h"

#include "util/json_text.h"
#include "util/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- what jansson does not check ---------------------------------------- */

/* From just after a string's opening quote to just after its closing one. */
static size_t
string_end(const char *text, size_t i, size_t size)
{
    while (i < size && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < size ? i + 1 : size;
}

/*
 * Where the document opens its 65th level; `size` where it does not.  Looked
 * for before parsing: jansson goes down to 2048 levels, on our stack.
 */
static size_t
first_too_deep(const char *text, size_t size)
{
    size_t i = 0, depth = 0;

    while (i < size) {
        char c = text[i];

        if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
            return i;
        if ((c == ']' || c == '}') && depth > 0)
            depth--;
        i = c == '"' ? string_end(text, i + 1, size) : i + 1;
    }
    return size;
}

/* -- saying where ------------------------------------------------------- */

static void
refuse_at(const char *text, size_t offset, struct failure *err, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    failure_set(err, ERROR_BAD_REQUEST, "line %zu, column %zu: %s", line, column, what);
}

/* jansson stops just after the second one's closing quote, and does not name a long key. */
static void
refuse_duplicate(const char *text, size_t end, struct failure *err)
{
    char what[160];
    size_t start = end - 1, slashes;

    do {
        slashes = 0;
        start--;
        while (start > slashes && text[start - slashes - 1] == '\\')
            slashes++;
    } while (start > 0 && (text[start] != '"' || slashes % 2 == 1));
    snprintf(what, sizeof what, "duplicate key: \"%.*s\"",
             (int)(end - start - 2 < 100 ? end - start - 2 : 100), text + start + 1);
    refuse_at(text, start, err, what);
}

static void
refuse(const char *text, const json_error_t *error, struct failure *err)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        failure_no_memory(err);
        break;
    case json_error_duplicate_key:
        refuse_duplicate(text, (size_t)error->position, err);
        break;
    default:
        failure_set(err, ERROR_BAD_REQUEST, "line %d, column %d: %s", error->line,
                    error->column > 0 ? error->column : 1, error->text);
    }
}

json_t *
json_parse(const char *text, size_t size, struct failure *err)
{
    static const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    size_t valid = utf8_prefix(text, size);
    size_t shallow = first_too_deep(text, size);
    json_error_t error;
    json_t *root;

    if (text == NULL)
        text = ""; /* an empty buffer */
    if (valid < size) {
        refuse_at(text, valid, err, "not valid UTF-8");
        return NULL;
    }
    if (shallow < size) {
        refuse_at(text, shallow, err, "nested deeper than 64 levels");
        return NULL;
    }
    if ((root = json_loadb(text, size, flags, &error)) == NULL)
        refuse(text, &error, err);
    return root;
}

/* -- writing ------------------------------------------------------------- */

/* By default jansson writes 17 digits, and 19.99 as 19.989999999999998. */
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

static void
add_object(struct buffer *to, const json_t *object)
{
    const char *separator = "", *key;
    json_t *value;

    buffer_addc(to, '{');
    json_object_foreach((json_t *)object, key, value)
    {
        buffer_adds(to, separator);
        json_text_add(to, key, strlen(key));
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
        json_text_add(to, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        buffer_add_integer(to, json_integer_value(value));
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
