/* access_log.c - a log line for each fetch, and another for each slow one. */

#include "routes/access_log.h"

#include "routes/route_context.h"
#include "routes/trace_context.h"
#include "util/log.h"

/* Where the time of a slow one went: of the last hop, each from the hop's start on. */
static void
write_slow(const struct curlew_fetch *f, const struct failure *err)
{
    const struct timing *t = &f->response.timing;
    bool failed = err->error != ERROR_NONE;
    const struct log_field fields[] = {
        { "session", LOG_TEXT,
          .text = f->session ? f->session->settings.name : f->request.session },
        { "method", LOG_TEXT, .text = f->method },
        { "origin", LOG_TEXT, .text = f->url.origin },
        { failed ? "code" : "status", failed ? LOG_TEXT : LOG_NUMBER,
          .text = error_code(err->error), .number = f->response.head.status },
        { "queue", LOG_SECONDS, .seconds = t->queue },
        { "dns", LOG_SECONDS, .seconds = t->dns },
        { "connect", LOG_SECONDS, .seconds = t->connect },
        { "tls", LOG_SECONDS, .seconds = t->tls },
        { "first_byte", LOG_SECONDS, .seconds = t->first_byte },
        { "total", LOG_SECONDS, .seconds = t->total },
        { "reused", LOG_NUMBER, .number = f->response.reused },
        { "redirects", LOG_NUMBER, .number = f->redirects },
        { "attempts", LOG_NUMBER, .number = f->response.attempts },
        { "tag", LOG_TEXT, .text = f->request.tag },
        { "traceparent", LOG_TEXT, .text = trace_context_find(&f->request, "traceparent") },
        { "request_id", LOG_TEXT, .text = trace_context_find(&f->request, "X-Request-ID") },
        { "index", LOG_NUMBER, .number = f->index },
    };

    log_event(LOG_WARNING, "slow fetch", fields, sizeof fields / sizeof fields[0] - (f->index < 0));
}

static bool
is_slow(const struct exchange *x, const struct curlew_fetch *f)
{
    double most = route_context_of(x)->log_slow_seconds;

    return most > 0 && f->response.timing.total > most;
}

void
access_log_write(const struct exchange *x, const struct curlew_fetch *f, const struct failure *err)
{
    const struct response *response = &f->response;
    bool failed = err->error != ERROR_NONE;
    const struct log_field fields[] = {
        { "session", LOG_TEXT,
          .text = f->session ? f->session->settings.name : f->request.session },
        { "method", LOG_TEXT, .text = f->method },
        { "origin", LOG_TEXT, .text = f->url.origin },
        { failed ? "code" : "status", failed ? LOG_TEXT : LOG_NUMBER,
          .text = error_code(err->error), .number = response->head.status },
        { "queue", LOG_SECONDS, .seconds = response->timing.queue },
        { "first_byte", LOG_SECONDS, .seconds = response->timing.first_byte },
        { "total", LOG_SECONDS, .seconds = response->timing.total },
        { "bytes_sent", LOG_NUMBER, .number = response->bytes_sent },
        { "bytes", LOG_NUMBER, .number = response->body_bytes },
        { "reused", LOG_NUMBER, .number = response->reused },
        { "redirects", LOG_NUMBER, .number = f->redirects },
        { "attempts", LOG_NUMBER, .number = response->attempts },
        { "tag", LOG_TEXT, .text = f->request.tag },
        { "traceparent", LOG_TEXT, .text = trace_context_find(&f->request, "traceparent") },
        { "request_id", LOG_TEXT, .text = trace_context_find(&f->request, "X-Request-ID") },
        { "index", LOG_NUMBER, .number = f->index },
    };

    if (is_slow(x, f))
        write_slow(f, err);
    if (route_context_of(x)->log_access)
        log_event(LOG_INFO, "fetch", fields, sizeof fields / sizeof fields[0] - (f->index < 0));
}

void
access_log_fetch_done(const struct exchange *x, const struct curlew_fetch *f)
{
    access_log_write(x, f, &f->failure);
}
