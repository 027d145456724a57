/* field_reader.c - one JSON value into one member of a struct, as a table's row says. */

#include "message/field_reader.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* -- text --------------------------------------------------------------- */

const char *
field_string(const json_t *value, const struct json_path *at, struct failure *err)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        json_path_refuse(at, err, "expected text");
    else if (strlen(text) != json_string_length(value))
        json_path_refuse(at, err, "must not contain NUL");
    else
        return text;
    return NULL;
}

int
field_text(char **to, const json_t *value, const struct json_path *at, struct failure *err)
{
    const char *text = field_string(value, at, err);
    char *copy;

    if (text == NULL)
        return -1;
    if ((copy = strdup(text)) == NULL)
        return failure_no_memory(err);
    free(*to);
    *to = copy;
    return 0;
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
        return json_path_refuse(at, err, "expected text of %lld to %lld bytes", (long long)f->min,
                                (long long)f->max);
    return field_text(to, value, at, err);
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
field_read(void *object, const struct field *f, const json_t *value, const struct json_path *at,
           struct failure *err)
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
    case FIELD_TEXT:
    case FIELD_PATH:
        return read_text(to, f, value, at, err);
    case FIELD_CHOICE:
        return read_choice(to, f, value, at, err);
    case FIELD_TWO_WAY:
        if ((rc = read_choice(&choice, f, value, at, err)) == 0)
            *(bool *)to = choice == 1;
        return rc;
    case FIELD_OTHER:
        break;
    }
    return rc;
}

/* -- from plain text ---------------------------------------------------- */

json_t *
field_from_text(enum field_kind kind, const char *text, size_t n)
{
    bool number =
        kind == FIELD_BOOL || kind == FIELD_INT || kind == FIELD_INT64 || kind == FIELD_NUMBER;
    json_t *value = number ? json_loadb(text, n, JSON_DECODE_ANY, NULL) : NULL;

    if (json_is_number(value) || json_is_boolean(value))
        return value;
    json_decref(value); /* whatever else it is, the reader says what it expected */
    return json_stringn(text, n);
}
