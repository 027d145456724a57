/*
 * trace.h - the caller's trace context: which request of whose this fetch belongs to.
 *
 * W3C Trace Context (traceparent, tracestate) and X-Request-ID of the request to the gateway go on
 * to the origin, unless the session's trace_context is false, and into the access log.
 */
#ifndef GATEWAY_TRACE_H
#define GATEWAY_TRACE_H

#include "fastcgi/exchange.h"

int
trace_take(const struct exchange *c, struct request *r, struct failure *err); /* -1: no memory */

const char *trace_value(const struct request *r, const char *name); /* NULL: not there */

#endif
