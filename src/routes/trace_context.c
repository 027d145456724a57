/* trace_context.c - the caller's trace context, passed on to the origin. */

#include "routes/trace_context.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *parameter;
    size_t at; /* of the request's own; 0: none */
} fields[] = {
    { "traceparent", "HTTP_TRACEPARENT", offsetof(struct request, traceparent) },
    { "tracestate", "HTTP_TRACESTATE", offsetof(struct request, tracestate) },
    { "X-Request-ID", "HTTP_X_REQUEST_ID", 0 },
};

/* Printable ASCII. */
static bool
is_printable(const char *value)
{
    size_t n = strlen(value);

    if (n == 0 || n > TRACE_VALUE_MAX)
        return false;
    for (; *value != '\0'; value++)
        if (*value < ' ' || *value > '~')
            return false;
    return true;
}

static int
add(struct request *r, const char *name, const char *value, struct failure *err)
{
    return headers_add(&r->trace, name, strlen(name), value, strlen(value)) == 0
               ? 0
               : failure_no_memory(err);
}

int
trace_context_apply(struct request *r, struct failure *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && fields[i].at != 0; i++) {
        const char *value = *(char *const *)((const char *)r + fields[i].at);

        if (value == NULL)
            continue;
        if (!is_printable(value))
            return failure_set(err, ERROR_BAD_REQUEST, "%s: expected printable ASCII",
                               fields[i].name);
        if (add(r, fields[i].name, value, err) != 0)
            return -1;
    }
    return 0;
}

/* What the web server passes on of anybody's is dropped where it can't be sent, not refused. */
int
trace_context_read(const struct exchange *x, struct request *r, struct failure *err)
{
    bool has_own = r->traceparent != NULL || r->tracestate != NULL;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = exchange_param(x, fields[i].parameter);

        if (value == NULL || !is_printable(value) || (has_own && fields[i].at != 0))
            continue;
        if (add(r, fields[i].name, value, err) != 0)
            return -1;
    }
    return 0;
}

const char *
trace_context_find(const struct request *r, const char *name)
{
    return headers_get(&r->trace, name);
}
