/* json_path.c - where in a document a value stands, so that an error can name it. */

#include "message/json_path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_SHOWN 100 /* bytes of a key: the sentence after it must still fit */

/* "sessions.default.headers[2]" into `to`; returns how long it is. */
static size_t
write_path(const struct json_path *at, char *to, size_t size)
{
    size_t n = at->parent != NULL ? write_path(at->parent, to, size) : 0;
    int added;

    if (at->name == NULL)
        added = snprintf(to + n, size - n, "[%zu]", at->index);
    else
        added = snprintf(to + n, size - n, "%s%.*s", n > 0 ? "." : "", NAME_SHOWN, at->name);
    return added < 0 || (size_t)added >= size - n ? size - 1 : n + (size_t)added;
}

int
json_path_refuse(const struct json_path *at, struct failure *err, const char *format, ...)
{
    char path[300] = "", sentence[300];
    va_list ap;

    va_start(ap, format);
    vsnprintf(sentence, sizeof sentence, format, ap);
    va_end(ap);
    if (at != NULL)
        write_path(at, path, sizeof path);
    return failure_set(err, ERROR_BAD_REQUEST, "%s%s%s", path, at != NULL ? ": " : "", sentence);
}

int
json_path_unknown_key(const struct json_path *at, struct failure *err)
{
    char path[300];

    write_path(at, path, sizeof path);
    return failure_set(err, ERROR_BAD_REQUEST, "unknown key \"%s\"", path);
}

int
json_path_pass(const struct json_path *at, const struct failure *inner, struct failure *err)
{
    char path[300] = "";

    if (at != NULL)
        write_path(at, path, sizeof path);
    return failure_set(err, inner->error, "%s%s%s", path, at != NULL ? "." : "", inner->detail);
}
