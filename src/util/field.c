/* field.c - one member of a struct, described by a row of a table. */

#include "util/field.h"

#include "util/text.h"

#include <string.h>

static bool
is_text(const struct field *f)
{
    return f->kind == FIELD_TEXT || f->kind == FIELD_PATH;
}

/* Of a member that owns nothing. */
static size_t
size_of(const struct field *f)
{
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_TWO_WAY:
        return sizeof(bool);
    case FIELD_INT:
    case FIELD_CHOICE:
        return sizeof(int);
    case FIELD_NUMBER:
        return sizeof(double);
    case FIELD_INT64:
    case FIELD_MS:
        return sizeof(int64_t);
    default:
        return 0;
    }
}

size_t
field_find(const struct field *rows, size_t count, const char *name)
{
    size_t i = 0;

    while (i < count && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

void
field_init(void *object, const struct field *f)
{
    void *member = (char *)object + f->at;

    if (is_text(f))
        *(char **)member = NULL;
    else if (f->kind == FIELD_BOOL || f->kind == FIELD_TWO_WAY)
        *(bool *)member = f->initial != 0;
    else if (f->kind == FIELD_INT || f->kind == FIELD_CHOICE)
        *(int *)member = (int)f->initial;
    else if (f->kind == FIELD_NUMBER)
        *(double *)member = (double)f->initial;
    else if (f->kind == FIELD_INT64 || f->kind == FIELD_MS)
        *(int64_t *)member = f->initial;
}

void
field_destroy(void *object, const struct field *f)
{
    char **text = (char **)((char *)object + f->at);

    if (!is_text(f))
        return;
    free(*text);
    *text = NULL;
}

int
field_copy(void *to, const void *from, const struct field *f)
{
    void *member = (char *)to + f->at;
    const void *source = (const char *)from + f->at;

    if (is_text(f))
        return text_replace(member, *(char *const *)source);
    memcpy(member, source, size_of(f));
    return 0;
}

bool
field_equal(const void *a, const void *b, const struct field *f)
{
    const void *of_a = (const char *)a + f->at, *of_b = (const char *)b + f->at;

    if (is_text(f))
        return text_equal(*(char *const *)of_a, *(char *const *)of_b);
    return memcmp(of_a, of_b, size_of(f)) == 0;
}

bool
field_is_zero(const void *object, const struct field *f)
{
    static const char zeros[sizeof(int64_t)];
    const void *member = (const char *)object + f->at;

    if (is_text(f))
        return *(char *const *)member == NULL;
    return memcmp(member, zeros, size_of(f)) == 0;
}
