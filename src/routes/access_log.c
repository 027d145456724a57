/* access_log.c - a log line for each fetch, and another for each slow one. */

#include "routes/access_log.h"

#include "routes/route_context.h"
#include "routes/trace_context.h"
#include "util/log.h"

/*
 * That of a slow one has, in the place of bytes, where the time of its last hop went: each from the
 * hop's start on.  A LOG_TEXT without a text is left out.
 */
static void
write_line(const struct curlew_fetch *f, const struct failure *err, bool slow)
{
    const struct response *r = &f->response;
    const struct timing *t = &r->timing;
    bool failed = err->error != ERROR_NONE;
    const struct log_field fields[] = {
        { "session", LOG_TEXT,
          .text = f->session ? f->session->settings.name : f->request.session },
        { "method", LOG_TEXT, .text = f->method },
        { "origin", LOG_TEXT, .text = f->url.origin },
        { failed ? "code" : "status", failed ? LOG_TEXT : LOG_NUMBER,
          .text = error_code(err->error), .number = r->head.status },
        { "queue", LOG_SECONDS, .seconds = t->queue },
        { "dns", slow ? LOG_SECONDS : LOG_TEXT, .seconds = t->dns },
        { "connect", slow ? LOG_SECONDS : LOG_TEXT, .seconds = t->connect },
        { "tls", slow ? LOG_SECONDS : LOG_TEXT, .seconds = t->tls },
        { "first_byte", LOG_SECONDS, .seconds = t->first_byte },
        { "total", LOG_SECONDS, .seconds = t->total },
        { "bytes_sent", slow ? LOG_TEXT : LOG_NUMBER, .number = r->bytes_sent },
        { "bytes", slow ? LOG_TEXT : LOG_NUMBER, .number = r->body_bytes },
        { "reused", LOG_NUMBER, .number = r->reused },
        { "redirects", LOG_NUMBER, .number = f->redirects },
        { "attempts", LOG_NUMBER, .number = r->attempts },
        { "tag", LOG_TEXT, .text = f->request.tag },
        { "traceparent", LOG_TEXT, .text = trace_context_find(&f->request, "traceparent") },
        { "request_id", LOG_TEXT, .text = trace_context_find(&f->request, "X-Request-ID") },
        { "index", LOG_NUMBER, .number = f->index },
    };

    log_event(slow ? LOG_WARNING : LOG_INFO, slow ? "slow fetch" : "fetch", fields,
              sizeof fields / sizeof fields[0] - (f->index < 0));
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
    if (is_slow(x, f))
        write_line(f, err, true);
    if (route_context_of(x)->log_access && log_takes(LOG_INFO))
        write_line(f, err, false);
}

void
access_log_fetch_done(const struct exchange *x, const struct curlew_fetch *f)
{
    access_log_write(x, f, &f->failure);
}
