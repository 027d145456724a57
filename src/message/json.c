/* json.c - reading JSON strictly, and writing any value. */

#include "message/json.h"

#include "util/json_text.h"
#include "util/utf8.h"
#include "json/json_split.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- what jansson does not check ---------------------------------------- */

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
        i = c == '"' ? json_split_string(text, i + 1, size) : i + 1;
    }
    return size;
}

/* -- saying where ------------------------------------------------------- */

struct place { /* both from 1; columns are characters */
    size_t line, column;
};

static struct place
find_place(const char *text, size_t offset)
{
    struct place at = { 1, 1 };

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            at = (struct place){ at.line + 1, 1 };
        else if (((unsigned char)text[i] & 0xC0) != 0x80)
            at.column++;
    }
    return at;
}

static void
refuse_at(const char *text, size_t offset, struct failure *err, const char *what)
{
    struct place at = find_place(text, offset);

    failure_set(err, ERROR_BAD_REQUEST, "line %zu, column %zu: %s", at.line, at.column, what);
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

/* `start`: where in the text the piece begins that jansson was given. */
static void
refuse(const char *text, size_t start, const json_error_t *error, struct failure *err)
{
    struct place at = find_place(text, start);
    size_t column = error->column > 0 ? (size_t)error->column : 1;

    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        failure_no_memory(err);
        break;
    case json_error_duplicate_key:
        refuse_duplicate(text, start + (size_t)error->position, err);
        break;
    default:
        failure_set(err, ERROR_BAD_REQUEST, "line %zu, column %zu: %s",
                    at.line + (error->line > 0 ? (size_t)error->line - 1 : 0),
                    error->line > 1 ? column : at.column + column - 1, error->text);
    }
}

/* -- reading ------------------------------------------------------------- */

#define TREE_TIMES 4
#define TREE_MIN   (INT64_C(1) << 20)
#define TREE_MAX   (INT64_C(1) << 40)

static _Atomic int64_t tree_bytes = TREE_TIMES * (INT64_C(16) << 20);

void
json_set_limit(int64_t request_bytes)
{
    int64_t n = request_bytes < TREE_MAX / TREE_TIMES ? TREE_TIMES * request_bytes : TREE_MAX;

    tree_bytes = n > TREE_MIN ? n : TREE_MIN;
}

/* What jansson says of an allocation that failed may be nothing, or a wrong cause. */
static json_t *
load(const char *text, size_t start, size_t size, size_t max_bytes, struct failure *err)
{
    static const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    enum json_memory_end end;
    json_error_t error;
    json_t *root;

    if (json_memory_begin(max_bytes, size) != 0) {
        failure_no_memory(err);
        return NULL;
    }
    root = json_memory_load(text + start, size, flags, &error);
    end = json_memory_finish();
    if (root != NULL && end == JSON_MEMORY_OK)
        return root;
    json_memory_release(root);
    if (end == JSON_MEMORY_FULL)
        failure_set(err, ERROR_REQUEST_TOO_LARGE,
                    "limits.request_bytes: the JSON's values take over %zu bytes of memory; send "
                    "large JSON as text in \"body\", or large data as it is in \"body_base64\"",
                    max_bytes);
    else if (end == JSON_MEMORY_NONE)
        failure_no_memory(err);
    else
        refuse(text, start, &error, err);
    return NULL;
}

int
json_check(const char *text, size_t size, struct failure *err)
{
    size_t valid = utf8_prefix(text, size);
    size_t shallow = valid == size ? first_too_deep(text, size) : size;

    if (valid < size)
        refuse_at(text, valid, err, "not valid UTF-8");
    else if (shallow < size)
        refuse_at(text, shallow, err, "nested deeper than 64 levels");
    return valid < size || shallow < size ? -1 : 0;
}

json_t *
json_parse_within(const char *text, size_t size, size_t max_bytes, struct failure *err)
{
    if (json_check(text, size, err) != 0)
        return NULL;
    return load(text != NULL ? text : "", 0, size, max_bytes, err); /* NULL: an empty buffer */
}

json_t *
json_parse(const char *text, size_t size, struct failure *err)
{
    return json_parse_within(text, size, (size_t)tree_bytes, err);
}

json_t *
json_parse_piece(const char *text, size_t start, size_t end, struct failure *err)
{
    return load(text, start, end - start, (size_t)tree_bytes, err);
}

/* -- building ------------------------------------------------------------ */

static void
drop_unless(int rc, json_t **container)
{
    if (rc == 0)
        return;
    json_decref(*container);
    *container = NULL;
}

void
json_put(json_t **object, const char *key, json_t *value)
{
    drop_unless(json_object_set_new(*object, key, value), object);
}

void
json_append(json_t **array, json_t *value)
{
    drop_unless(json_array_append_new(*array, value), array);
}

/* -- writing ------------------------------------------------------------- */

/*
 * The usual real has at most 15 digits.  Then x is a whole number of at most 15 digits divided by a
 * power of ten that a double holds exactly, and the quotient is exact, too: so the digits are right
 * if dividing them gives x again.  A fiftieth of what snprintf() and strtod() cost.
 */
static bool
add_usual_real(struct buffer *to, double x)
{
    double size = fabs(x), power = 1e14;
    int decimals = 14;
    int64_t whole, n;

    if (!(size >= 1e-4 && size < 1e14))
        return false;
    for (double next = 10; size >= next && decimals > 0; next *= 10) {
        power /= 10;
        decimals--;
    }
    for (; size < 1 && decimals < 18; size *= 10) { /* leading zeros are no digits */
        power *= 10;
        decimals++;
    }
    n = (int64_t)(fabs(x) * power + 0.5);
    if ((double)n / power != fabs(x))
        return false;
    for (; decimals > 1 && n % 10 == 0; decimals--, power /= 10)
        n /= 10;
    whole = n / (int64_t)power;
    if (x < 0)
        buffer_addc(to, '-');
    buffer_add_integer(to, whole);
    buffer_addc(to, '.');
    buffer_add_digits(to, (uint64_t)(n - whole * (int64_t)power), decimals);
    return true;
}

/* As jansson writes it, in every locale: 1e+300 is 1e300; what looks like an integer ends ".0". */
static void
add_printed_real(struct buffer *to, const char *text)
{
    bool real = false;

    for (; *text != '\0' && *text != 'e'; text++) {
        bool point = *text != '-' && (*text < '0' || *text > '9');

        buffer_addc(to, point ? '.' : *text);
        real = real || point;
    }
    if (*text == '\0') {
        buffer_adds(to, real ? "" : ".0");
        return;
    }
    buffer_adds(to, text[1] == '-' ? "e-" : "e");
    text += 2;
    buffer_adds(to, text + strspn(text, "0"));
}

/* By default jansson writes 17 digits, and 19.99 as 19.989999999999998. */
static void
add_real(struct buffer *to, const json_t *value)
{
    double x = json_real_value(value);
    char text[40];

    if (add_usual_real(to, x))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (digits == 17 || strtod(text, NULL) == x)
            break;
    }
    add_printed_real(to, text);
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
