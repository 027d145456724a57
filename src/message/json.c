/* json.c - reading JSON strictly: jansson, plus what the contract adds. */

#include "message/json.h"

#include "util/utf8.h"

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
    snprintf(what, sizeof what, "key given twice: \"%.*s\"",
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
