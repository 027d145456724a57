/* trace_context.c - the caller's trace context: which request of whose this fetch belongs to. */

#include "routes/trace_context.h"

#include <string.h>

#define VALUE_MAX \
    512 /* as much of a tracestate as all have to pass on (W3C Trace Context 3.3.1.5) */

static const struct {
    const char *name, *parameter;
} fields[] = {
    { "traceparent", "HTTP_TRACEPARENT" },
    { "tracestate", "HTTP_TRACESTATE" },
    { "X-Request-ID", "HTTP_X_REQUEST_ID" },
};

/* Visible ASCII and blanks between: what is odd is not passed on. */
static bool
is_sane(const char *value)
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

        if (value != NULL && is_sane(value) &&
            headers_add(&r->trace, fields[i].name, strlen(fields[i].name), value, strlen(value)) !=
                0)
            return failure_no_memory(err);
    }
    return 0;
}

const char *
trace_context_find(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->trace.count; i++)
        if (strcmp(r->trace.items[i].name, name) == 0)
            return r->trace.items[i].value;
    return NULL;
}
