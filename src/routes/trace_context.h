/*
 * trace_context.h - the caller's trace context, passed on to the origin.
 *
 * W3C Trace Context (traceparent, tracestate) and X-Request-ID of the request to curlewd go on
 * to the origin, unless the session's trace_context is false, and into the access log.
 */
#ifndef ROUTES_TRACE_CONTEXT_H
#define ROUTES_TRACE_CONTEXT_H

#include "fastcgi/exchange.h"

/* -1: no memory. */
int trace_context_read(const struct exchange *x, struct request *r, struct failure *err);

/* NULL: not there. */
const char *trace_context_find(const struct request *r, const char *name);

#endif
