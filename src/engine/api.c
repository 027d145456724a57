/* api.c - the functions of curlew.h, on top of the engine. */

#include "curlew/curlew.h"
#include "engine/engine.h"
#include "engine/worker_inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert((int)CURLEW_LOG_ERROR == LOG_ERROR && (int)CURLEW_LOG_WARNING == LOG_WARNING &&
                   (int)CURLEW_LOG_INFO == LOG_INFO && (int)CURLEW_LOG_DEBUG == LOG_DEBUG,
               "the levels of curlew.h are those of log.h");

/* -- the engine ---------------------------------------------------------- */

void
curlew_options_init(struct curlew_options *o)
{
    struct engine_config s;

    engine_config_init(&s);
    *o = (struct curlew_options){
        .threads = s.threads,
        .max_in_flight = s.limits.in_flight,
        .max_queue = s.limits.queue,
        .max_per_origin = s.sessions[0].max_per_origin,
        .max_body_bytes = s.limits.response_bytes,
    };
    engine_config_destroy(&s);
}

static int
read_options(struct engine_config *s, const struct curlew_options *o, struct failure *err)
{
    s->threads = o->threads;
    s->limits.in_flight = o->max_in_flight;
    s->limits.queue = o->max_queue;
    s->limits.response_bytes = o->max_body_bytes;
    s->sessions[0].max_per_origin = o->max_per_origin;
    s->sessions[0].max_in_flight = o->max_in_flight;
    s->egress.report_only = o->report_only != 0;
    s->log = (struct log_sink){ o->log, o->log_arg };
    if (o->threads < 1 || o->threads > 64 || o->max_in_flight < 1 || o->max_queue < 0 ||
        o->max_per_origin < 1 || o->max_body_bytes < 0)
        return failure_set(err, ERROR_BAD_REQUEST, "an option is out of its range");
    for (const char *const *rule = o->allow; rule != NULL && *rule != NULL; rule++)
        if (egress_config_add(&s->egress.allow, &s->egress.allow_count, *rule) != 0)
            return failure_no_memory(err);
    return 0;
}

struct curlew *
curlew_new(const struct curlew_options *o, char *err, size_t size)
{
    struct engine_config s;
    struct failure f = { 0 };
    struct curlew *c = NULL;

    engine_config_init(&s);
    if (read_options(&s, o, &f) == 0)
        c = engine_new(&s, &f);
    engine_config_destroy(&s);
    if (c == NULL && err != NULL && size > 0)
        snprintf(err, size, "%s", f.detail);
    return c;
}

void
curlew_drain(struct curlew *c)
{
    engine_drain(c);
}

void
curlew_free(struct curlew *c)
{
    engine_free(c);
}

int
curlew_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg)
{
    return engine_submit(c, f, done, arg);
}

void
curlew_cancel(struct curlew_fetch *f)
{
    worker_inbox_cancel(f);
}

/* -- the request --------------------------------------------------------- */

struct curlew_fetch *
curlew_fetch_new(const char *url)
{
    struct curlew_fetch *f = fetch_new();

    if (f != NULL && (f->request.url = strdup(url)) == NULL) {
        fetch_unref(f);
        return NULL;
    }
    return f;
}

void
curlew_fetch_free(struct curlew_fetch *f)
{
    fetch_unref(f);
}

int
curlew_fetch_set_method(struct curlew_fetch *f, const char *method)
{
    return request_set_method(&f->request, method, &f->failure);
}

int
curlew_fetch_add_header(struct curlew_fetch *f, const char *name, const char *value)
{
    return request_add_header(&f->request, name, value, &f->failure);
}

/* Replaces the Content-Type: drops those before the one added last. */
static int
replace_content_type(struct curlew_fetch *f, const char *type)
{
    struct headers *h = &f->request.headers;
    size_t kept = 0;

    if (curlew_fetch_add_header(f, "Content-Type", type) != 0)
        return -1;
    for (size_t i = 0; i < h->count; i++)
        if (i + 1 == h->count || strcasecmp(h->items[i].name, "content-type") != 0)
            h->items[kept++] = h->items[i];
    h->count = kept;
    return 0;
}

int
curlew_fetch_set_body(struct curlew_fetch *f, const void *body, size_t size, const char *type)
{
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return failure_no_memory(&f->failure);
    if (size > 0)
        memcpy(copy, body, size);
    copy[size] = '\0';
    free(f->request.body);
    f->request.body = copy;
    f->request.body_size = size;
    return type != NULL ? replace_content_type(f, type) : 0;
}

void
curlew_fetch_set_timeout(struct curlew_fetch *f, int64_t total_ms)
{
    f->request.total_timeout_ms = total_ms;
    f->request.set |= SET_TOTAL_TIMEOUT;
}

/* -- the result ---------------------------------------------------------- */

const char *
curlew_fetch_error(const struct curlew_fetch *f)
{
    return f->failure.error == ERROR_NONE ? NULL : error_code(f->failure.error);
}

const char *
curlew_fetch_detail(const struct curlew_fetch *f)
{
    return f->failure.detail;
}

int
curlew_fetch_status(const struct curlew_fetch *f)
{
    return f->response.head.status;
}

const char *
curlew_fetch_header(const struct curlew_fetch *f, const char *name)
{
    const struct headers *h = &f->response.head.headers;

    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, name) == 0)
            return h->items[i].value;
    return NULL;
}

const void *
curlew_fetch_body(const struct curlew_fetch *f, size_t *size)
{
    *size = f->response.body.len;
    return f->response.body.data != NULL ? f->response.body.data : "";
}

int
curlew_fetch_reused(const struct curlew_fetch *f)
{
    return f->response.reused;
}

double
curlew_fetch_seconds(const struct curlew_fetch *f)
{
    return f->response.timing.total;
}
