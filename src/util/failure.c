/* failure.c - one failed request: which error, and the sentence that says what exactly. */

#include "util/failure.h"

#include "util/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The detail quotes what callers and origins sent, which need not be UTF-8. */
static void
sanitize_utf8(char *text)
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
    sanitize_utf8(f->detail);
    return -1;
}

int
failure_no_memory(struct failure *f)
{
    return failure_set(f, ERROR_INTERNAL, "out of memory");
}
