/* status.c - the bodies of …/v1/status, the metrics as JSON, and of …/v1/fetches. */

#include "message/status.h"

#include "libcurl/curl_features.h"
#include "libcurl/impersonate_targets.h"
#include "libcurl/libcurl_choice.h"
#include "message/json.h"
#include "scheduler/busy_origins.h"
#include "util/clock.h"
#include "util/process_usage.h"

#include <stdlib.h>

static json_t *
number(const counter *c)
{
    return json_integer(counter_read(c));
}

static json_t *
targets_json(void)
{
    json_t *all = json_array();
    const char *target;

    for (size_t i = 0; (target = impersonate_targets_get(i)) != NULL; i++)
        json_append(&all, json_string(target));
    return all;
}

static json_t *
libraries_json(void)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "libcurl", curl_features_text(),
                     "libcurl_file", libcurl_choice_file(), "jansson", jansson_version_str(),
                     "http2", (int)curl_features_has_http2(), "http3",
                     (int)curl_features_has_http3(), "impersonate", targets_json());
}

static json_t *
limits_json(const struct limits *l)
{
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i}",
                     "request_bytes", (json_int_t)l->request_bytes, "upload_bytes",
                     l->upload_bytes > 0 ? json_integer((json_int_t)l->upload_bytes) : json_null(),
                     "response_bytes", (json_int_t)l->response_bytes, "head_bytes",
                     (json_int_t)l->head_bytes, "buffered_bytes", (json_int_t)l->buffered_bytes,
                     "session_bytes", (json_int_t)l->session_bytes, "sessions_bytes",
                     (json_int_t)l->sessions_bytes, "headers", l->request.headers, "params",
                     l->request.params, "cookies", l->request.cookies, "parts", l->request.parts,
                     "in_flight", l->in_flight, "queue", l->queue);
}

static json_t *
open_files_json(const struct descriptor_shares *s)
{
    return json_pack("{s:i, s:i, s:i}", "limit", s->limit, "origins", s->origins, "gateway",
                     s->callers);
}

/* [[upper bound, values up to it], …], as in the metrics; the last bound, infinity, is null. */
static json_t *
buckets_json(const struct histogram *h, int64_t *count)
{
    json_t *all = json_array();

    *count = 0;
    for (int i = 0; i <= METRICS_BOUNDS; i++) {
        *count += counter_read(&h->buckets[i]);
        json_append(&all, json_pack("[o, I]",
                                    i < METRICS_BOUNDS ? json_real(metrics_bounds[i]) : json_null(),
                                    (json_int_t)*count));
    }
    return all;
}

static json_t *
histogram_json(const struct histogram *h)
{
    int64_t count;
    json_t *buckets = buckets_json(h, &count);

    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:o}", "count", (json_int_t)count, "sum",
                     (double)counter_read(&h->sum_us) / US_PER_SECOND, "p50",
                     metrics_quantile(h, 0.5), "p90", metrics_quantile(h, 0.9), "p99",
                     metrics_quantile(h, 0.99), "buckets", buckets);
}

static json_t *
breakers_json(const struct engine_stats *s)
{
    return json_pack("{s:o, s:o, s:o}", "closed", number(&s->breakers[CIRCUIT_CLOSED]), "open",
                     number(&s->breakers[CIRCUIT_OPEN]), "half_open",
                     number(&s->breakers[CIRCUIT_HALF_OPEN]));
}

static json_t *
resends_json(const struct engine_stats *s)
{
    json_t *all = json_object();

    for (int i = RESEND_FORBIDDEN + 1; i < RESEND_REASONS; i++)
        json_put(&all, resend_reason_name((enum resend_reason)i), number(&s->resends[i]));
    return all;
}

static json_t *
restraint_json(const struct engine_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "retries", number(&s->retries), "resends",
                     resends_json(s), "retries_waiting", number(&s->retries_waiting),
                     "retry_budget_refusals", number(&s->retries_refused), "breakers",
                     breakers_json(s), "breaker_opened", number(&s->breakers_opened));
}

static json_t *
engine_json(const struct engine_stats *s, const struct config_snapshot *p)
{
    json_t *all = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "in_flight",
        number(&s->in_flight), "queued", number(&s->queued), "connections", number(&s->connections),
        "connections_opened", number(&s->connections_opened), "connections_reused",
        number(&s->connections_reused), "coalesced", number(&s->coalesced), "buffered_bytes",
        number(&p->bodies->bytes), "guard_refusals", number(&s->guard_refusals), "guard_reports",
        number(&s->guard_reports), "received_bytes", number(&s->bytes_received), "sent_bytes",
        number(&s->bytes_sent), "queue_seconds", histogram_json(&s->queue_seconds),
        "first_byte_seconds", histogram_json(&s->first_byte_seconds), "fetch_seconds",
        histogram_json(&s->fetch_seconds));

    if (json_object_update_new(all, restraint_json(s)) != 0) {
        json_decref(all);
        return NULL;
    }
    json_put(&all, "sessions_bytes", number(&p->session_account->bytes));
    json_put(&all, "cookie_jars_bytes", json_integer(cookie_jar_group_bytes(p->jars)));
    json_put(&all, "lookups_refused", number(&s->lookups_refused));
    json_put(&all, "slow_loop_turns", number(&s->slow_turns));
    return all;
}

/* An origin's name is ASCII; a cut one may not be. */
static json_t *
origin_json(const struct busy_origin *o)
{
    json_t *name = json_string(o->name);

    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "origin",
                     name != NULL ? name : json_string("?"), "in_flight", (json_int_t)o->in_flight,
                     "queued", (json_int_t)o->queued, "hops", (json_int_t)o->hops, "failures",
                     (json_int_t)o->failures, "breakers_open", (json_int_t)o->breakers_open,
                     "seconds", o->seconds, "per_second", o->per_second);
}

static json_t *
origin_list_json(const struct busy_origin_list *l)
{
    json_t *all = json_array();

    for (int i = 0; i < l->count; i++)
        json_append(&all, origin_json(&l->origins[i]));
    return all;
}

static json_t *
origins_json(struct curlew *engine)
{
    struct busy_origins b = { 0 };

    for (int i = 0; i < engine->worker_count; i++)
        busy_origins_add(&b, &engine->workers[i]->scheduler.queues);
    return json_pack("{s:I, s:o, s:o}", "known", (json_int_t)b.known, "busiest",
                     origin_list_json(&b.busiest), "breaker_open", origin_list_json(&b.open));
}

static json_t *
responses_json(const struct session_state *s)
{
    json_t *all = json_object();

    for (int i = 0; i < STATUS_CLASSES; i++)
        if (counter_read(&s->classes[i]) > 0)
            json_put(&all, session_status_class(i), number(&s->classes[i]));
    return all;
}

static json_t *
session_json(const struct session *s)
{
    const struct session_config *c = &s->settings;
    json_t *outcomes = json_object();

    for (int e = 0; e < ERROR_COUNT; e++)
        if (counter_read(&s->state->outcomes[e]) > 0)
            json_put(&outcomes, error_code(e), number(&s->state->outcomes[e]));
    return json_pack("{s:o, s:o, s:o, s:s, s:i, s:i, s:i, s:i}", "in_flight",
                     number(&s->state->in_flight), "outcomes", outcomes, "responses",
                     responses_json(s->state), "cookie_jar", c->shared_jar ? "shared" : "none",
                     "max_in_flight", c->max_in_flight, "max_per_origin", c->max_per_origin,
                     "idle_connections", c->idle_connections, "idle_seconds", c->idle_seconds);
}

static json_t *
sessions_json(struct session *const *sessions, size_t count)
{
    json_t *all = json_object();

    for (size_t i = 0; i < count; i++)
        json_put(&all, sessions[i]->settings.name, session_json(sessions[i]));
    return all;
}

static json_t *
gateway_json(const struct status_gateway *g)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "connections", (json_int_t)g->connections,
                     "parked", (json_int_t)g->parked, "requests", (json_int_t)g->requests,
                     "cancelled", (json_int_t)g->cancelled, "large_messages",
                     (json_int_t)g->large_messages, "slow_loop_turns", (json_int_t)g->slow_turns);
}

static int
add_text(const char *text, size_t n, void *out)
{
    buffer_add(out, text, n);
    return 0;
}

/* Into a buffer of ours: json_dumps() goes on where it has lost a key for want of memory. */
static int
write_and_free(struct buffer *out, json_t *all)
{
    int rc = all != NULL
                 ? json_dump_callback(all, add_text, out, JSON_COMPACT | JSON_REAL_PRECISION(12))
                 : -1;

    json_decref(all);
    return rc == 0 && buffer_ok(out) ? 0 : -1;
}

static json_t *
process_json(void)
{
    int64_t resident = process_usage_resident_bytes();

    return json_pack("{s:f, s:o}", "cpu_seconds", (double)process_usage_cpu_us() / US_PER_SECOND,
                     "resident_memory_bytes",
                     resident >= 0 ? json_integer((json_int_t)resident) : json_null());
}

int
status_write(struct buffer *out, struct curlew *engine, const struct status_gateway *g)
{
    struct config_snapshot *p = engine_snapshot(engine);
    json_t *all = json_pack(
        "{s:s, s:s, s:f, s:I, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I}}", "version",
        CURLEW_VERSION, "status", g->draining ? "draining" : "ok", "uptime_seconds",
        g->uptime_seconds, "start_time_seconds", (json_int_t)g->start_time_seconds, "threads",
        engine->worker_count, "libraries", libraries_json(), "limits", limits_json(&p->limits),
        "open_files", open_files_json(&engine->shares), "process", process_json(), "engine",
        engine_json(&engine->stats, p), "origins", origins_json(engine), "gateway", gateway_json(g),
        "sessions", sessions_json(p->sessions, p->session_count), "log", "lines_dropped",
        (json_int_t)g->log_lines_dropped);

    config_snapshot_unref(p);
    return write_and_free(out, all);
}

int
status_write_limited(struct buffer *out, struct curlew *engine, const struct status_gateway *g,
                     struct session *const *sessions, size_t count)
{
    struct config_snapshot *p = engine_snapshot(engine);
    json_t *all = json_pack(
        "{s:s, s:s, s:f, s:I, s:o, s:o, s:o}", "version", CURLEW_VERSION, "status",
        g->draining ? "draining" : "ok", "uptime_seconds", g->uptime_seconds, "start_time_seconds",
        (json_int_t)g->start_time_seconds, "libraries", libraries_json(), "limits",
        limits_json(&p->limits), "sessions", sessions_json(sessions, count));

    config_snapshot_unref(p);
    return write_and_free(out, all);
}

/* -- fetches -------------------------------------------------------------- */

static json_t *
fetch_json(const struct fetch_list *l, const struct fetch_list_entry *entry)
{
    int64_t age_us = l->asked_us - entry->submitted_us;

    /* One that was submitted meanwhile is listed, too. */
    return json_pack("{s:s, s:s, s:s, s:f, s:i, s:i, s:b}", "session", entry->session, "origin",
                     entry->origin, "state", entry->state, "age",
                     age_us > 0 ? (double)age_us / US_PER_SECOND : 0.0, "attempts", entry->attempts,
                     "redirects", entry->redirects, "coalesced", (int)entry->coalesced);
}

int
status_write_fetches(struct buffer *out, const struct fetch_list *l)
{
    json_t *fetches = json_array(), *all;

    for (size_t i = 0; i < l->count; i++)
        json_append(&fetches, fetch_json(l, &l->entries[i]));
    all = json_pack("{s:I, s:I, s:o}", "total", (json_int_t)l->total, "limit", (json_int_t)l->limit,
                    "fetches", fetches);
    if (all == NULL)
        return -1;
    json_add_value(out, all);
    json_decref(all);
    return buffer_ok(out) ? 0 : -1;
}
