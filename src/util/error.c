/* error.c - everything that can go wrong with a request, named once. */

#include "util/error.h"

#include "util/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *code, *title;
} table[ERROR_COUNT] = {
#define X(name, status, code, title) [ERROR_##name] = { status, code, title },
    ERROR_TABLE(X)
#undef X
};

int
error_status(enum error e)
{
    return table[e].status;
}

const char *
error_code(enum error e)
{
    return table[e].code;
}

const char *
error_title(enum error e)
{
    return table[e].title;
}

int
error_retry_after(enum error e)
{
    switch (e) {
    case ERROR_OVERLOADED:
    case ERROR_ORIGIN_UNAVAILABLE:
        return 1;
    case ERROR_DRAINING:
        return 2; /* long enough for a successor to listen */
    default:
        return 0;
    }
}

/* The detail quotes what callers and origins sent, which need not be UTF-8. */
static void
mend(char *text)
{
    size_t n = utf8_cut(text, strlen(text));

    text[n] = '\0';
    for (size_t i = utf8_prefix(text, n); i < n; i += utf8_prefix(text + i, n - i))
        text[i] = '?';
}

int
failure_set(struct failure *f, enum error e, const char *format, ...)
{
    va_list ap;

    if (f->error != ERROR_NONE)
        return -1;
    f->error = e;
    va_start(ap, format);
    vsnprintf(f->detail, sizeof f->detail, format, ap);
    va_end(ap);
    mend(f->detail);
    return -1;
}

int
failure_no_memory(struct failure *f)
{
    return failure_set(f, ERROR_INTERNAL, "out of memory");
}
