/* field_json.c - one JSON value into one member of a struct, and back, as a table's row says. */

#include "message/field_json.h"

#include "message/json.h"
#include "util/array.h"
#include "util/base64.h"
#include "util/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* -- text --------------------------------------------------------------- */

const char *
field_json_string(const json_t *value, const struct json_path *at, struct failure *err)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        json_path_refuse(at, err, "expected a string");
    else if (strlen(text) != json_string_length(value))
        json_path_refuse(at, err, "must not contain NUL");
    else
        return text;
    return NULL;
}

int
field_json_text(char **to, const json_t *value, const struct json_path *at, struct failure *err)
{
    const char *text = field_json_string(value, at, err);

    if (text == NULL)
        return -1;
    return text_replace(to, text) != 0 ? failure_no_memory(err) : 0;
}

int
field_json_bytes(char **to, const json_t *value, const struct json_path *at, struct failure *err)
{
    struct buffer bytes;
    int rc = -1;

    if (!json_is_string(value))
        return json_path_refuse(at, err, "expected base64 text");
    buffer_init(&bytes, SIZE_MAX / 2);
    if (base64_decode(&bytes, json_string_value(value), json_string_length(value)) != 0 ||
        (bytes.len > 0 && strlen(bytes.data) != bytes.len))
        json_path_refuse(at, err, "expected base64 (RFC 4648 section 4) of bytes without NUL");
    else if ((rc = text_replace(to, bytes.len > 0 ? bytes.data : "")) != 0)
        failure_no_memory(err);
    buffer_free(&bytes);
    return rc;
}

static int
read_text(char **to, const struct field *f, const json_t *value, const struct json_path *at,
          struct failure *err)
{
    int64_t n = (int64_t)json_string_length(value);

    if (json_is_string(value) && f->kind == FIELD_PATH && json_string_value(value)[0] != '/')
        return json_path_refuse(at, err, "expected an absolute path");
    if (json_is_string(value) && f->kind == FIELD_TEXT && n < f->min && f->min == 1)
        return json_path_refuse(at, err, "must not be empty");
    if (json_is_string(value) && f->kind == FIELD_TEXT && (n < f->min || n > f->max))
        return json_path_refuse(at, err, "expected a string of %lld to %lld bytes",
                                (long long)f->min, (long long)f->max);
    return field_json_text(to, value, at, err);
}

/* -- lists of text ------------------------------------------------------ */

void
field_json_texts_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

int
field_json_texts(char ***list, size_t *count, const json_t *value, const struct json_path *at,
                 struct failure *err)
{
    field_json_texts_free(*list, *count);
    *list = NULL;
    *count = 0;
    if (!json_is_array(value))
        return json_path_refuse(at, err, "expected a list of strings");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct json_path here = { at, NULL, i };
        const char *text = field_json_string(json_array_get(value, i), &here, err);
        char **item;

        if (text == NULL)
            return -1;
        if (text[0] == '\0')
            return json_path_refuse(&here, err, "must not be empty");
        if ((item = array_grow((void **)list, count, sizeof *item)) == NULL ||
            text_copy(item, text) != 0)
            return failure_no_memory(err);
    }
    return 0;
}

/* -- scalars ------------------------------------------------------------ */

static int
read_bool(bool *to, const json_t *value, const struct json_path *at, struct failure *err)
{
    if (!json_is_boolean(value))
        return json_path_refuse(at, err, "expected true or false");
    *to = json_is_true(value);
    return 0;
}

static int
read_integer(int64_t *to, const struct field *f, const json_t *value, const struct json_path *at,
             struct failure *err)
{
    int64_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < f->min || n > f->max)
        return json_path_refuse(at, err, "expected an integer from %lld to %lld", (long long)f->min,
                                (long long)f->max);
    *to = n;
    return 0;
}

static int
read_number(double *to, const struct field *f, const json_t *value, const struct json_path *at,
            struct failure *err)
{
    double n = json_number_value(value);

    if (!json_is_number(value) || !(n > (double)f->min) || n > (double)f->max)
        return json_path_refuse(at, err, "expected a number above %lld and at most %lld",
                                (long long)f->min, (long long)f->max);
    *to = n;
    return 0;
}

/* At least one millisecond where 0 would be "no limit". */
static int
read_ms(int64_t *to, const struct field *f, const json_t *value, const struct json_path *at,
        struct failure *err)
{
    double seconds = json_number_value(value);
    int most = (int)(f->max / 1000);

    if (f->min > 0 && (!json_is_number(value) || !(seconds > 0) || seconds > most))
        return json_path_refuse(at, err, "expected a number of seconds above 0 and at most %d",
                                most);
    if (!json_is_number(value) || !(seconds >= 0) || seconds > most)
        return json_path_refuse(at, err, "expected a number of seconds from 0 to %d", most);
    *to = (int64_t)(seconds * 1000 + 0.5);
    if (*to < f->min)
        *to = f->min;
    return 0;
}

static int
read_choice(int *to, const struct field *f, const json_t *value, const struct json_path *at,
            struct failure *err)
{
    const char *text = json_string_value(value);
    char all[200] = "";

    for (int i = 0; f->words[i] != NULL; i++) {
        if (text != NULL && strcmp(text, f->words[i]) == 0) {
            *to = i;
            return 0;
        }
        if (i > 0)
            strncat(all, ", ", sizeof all - strlen(all) - 1);
        strncat(all, f->words[i], sizeof all - strlen(all) - 1);
    }
    return json_path_refuse(at, err, "expected one of %s", all);
}

int
field_json_read(void *object, const struct field *f, const json_t *value,
                const struct json_path *at, struct failure *err)
{
    void *to = (char *)object + f->at;
    int64_t n = 0;
    int choice = 0, rc = -1;

    switch (f->kind) {
    case FIELD_BOOL:
        return read_bool(to, value, at, err);
    case FIELD_INT:
        if ((rc = read_integer(&n, f, value, at, err)) == 0)
            *(int *)to = (int)n;
        return rc;
    case FIELD_INT64:
        return read_integer(to, f, value, at, err);
    case FIELD_NUMBER:
        return read_number(to, f, value, at, err);
    case FIELD_MS:
        return read_ms(to, f, value, at, err);
    case FIELD_TEXT:
    case FIELD_PATH:
        return read_text(to, f, value, at, err);
    case FIELD_CHOICE:
        return read_choice(to, f, value, at, err);
    case FIELD_TWO_WAY:
        if ((rc = read_choice(&choice, f, value, at, err)) == 0)
            *(bool *)to = choice == 1;
        return rc;
    default:
        return failure_set(err, ERROR_INTERNAL, "%s: no reader for this kind", f->name);
    }
}

/* -- to JSON ------------------------------------------------------------ */

json_t *
field_json_value(const void *object, const struct field *f)
{
    const void *from = (const char *)object + f->at;
    const char *text;

    switch (f->kind) {
    case FIELD_BOOL:
        return json_boolean(*(const bool *)from);
    case FIELD_INT:
        return json_integer(*(const int *)from);
    case FIELD_INT64:
        return json_integer(*(const int64_t *)from);
    case FIELD_NUMBER:
        return json_real(*(const double *)from);
    case FIELD_MS:
        return json_real((double)*(const int64_t *)from / 1e3);
    case FIELD_TEXT:
    case FIELD_PATH:
        text = *(char *const *)from;
        return text != NULL ? json_string(text) : json_null();
    case FIELD_CHOICE:
        return json_string(f->words[*(const int *)from]);
    case FIELD_TWO_WAY:
        return json_string(f->words[*(const bool *)from ? 1 : 0]);
    default:
        return NULL;
    }
}

/* -- from plain text ---------------------------------------------------- */

json_t *
field_json_from_text(int kind, const char *text, size_t n)
{
    bool number =
        kind == FIELD_BOOL || kind == FIELD_INT || kind == FIELD_INT64 || kind == FIELD_NUMBER;
    struct failure err = { 0 };
    json_t *value = number ? json_parse(text, n, &err) : NULL;

    if (json_is_number(value) || json_is_boolean(value) || err.error == ERROR_INTERNAL)
        return value;
    json_decref(value); /* of another type: the reader refuses it and names what it expects */
    return json_stringn(text, n);
}
