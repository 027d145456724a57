/*
 * trace_context.h - the caller's trace context, passed on to the origin.
 *
 * W3C Trace Context (traceparent, tracestate) and X-Request-ID of the request to curlewd go on
 * to the origin, unless the session's trace_context is false, and into the access log.  A request
 * object may have a traceparent and a tracestate of its own, as those of a batch do, whose fetches
 * are spans of their own.
 */
#ifndef ROUTES_TRACE_CONTEXT_H
#define ROUTES_TRACE_CONTEXT_H

#include "fastcgi/exchange.h"

/* What the request object has; -1 with `err`: a value that is no header's. */
int trace_context_apply(struct request *r, struct failure *err);

/*
 * What the caller's request has, but for the trace if the request object has its own: parent and
 * state belong together.  -1: no memory.
 */
int trace_context_read(const struct exchange *x, struct request *r, struct failure *err);

/* NULL: not there. */
const char *trace_context_find(const struct request *r, const char *name);

#endif
