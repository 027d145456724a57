/* trace_context.c - the caller's trace context, passed on to the origin. */

#include "routes/trace_context.h"

#include <string.h>

/* As much of a tracestate as everybody has to pass on (W3C Trace Context 3.3.1.5). */
#define VALUE_MAX 512

static const struct {
    const char *name, *parameter;
} fields[] = {
    { "traceparent", "HTTP_TRACEPARENT" },
    { "tracestate", "HTTP_TRACESTATE" },
    { "X-Request-ID", "HTTP_X_REQUEST_ID" },
};

/* Printable ASCII: anything else is not passed on. */
static bool
is_printable(const char *value)
{
    size_t n = strlen(value);

    if (n == 0 || n > VALUE_MAX)
        return false;
    for (; *value != '\0'; value++)
        if (*value < ' ' || *value > '~')
            return false;
    return true;
}

int
trace_context_read(const struct exchange *x, struct request *r, struct failure *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = exchange_param(x, fields[i].parameter);

        if (value != NULL && is_printable(value) &&
            headers_add(&r->trace, fields[i].name, strlen(fields[i].name), value, strlen(value)) !=
                0)
            return failure_no_memory(err);
    }
    return 0;
}

const char *
trace_context_find(const struct request *r, const char *name)
{
    return headers_get(&r->trace, name);
}
