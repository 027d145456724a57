/* status.c - the body of …/v1/status: the metrics as JSON, with versions and each session. */

#include "message/status.h"

#include "message/json.h"
#include "transfer/curl_features.h"
#include "util/clock.h"

#include <stdlib.h>

static json_t *
number(const counter *c)
{
    return json_integer(counter_read(c));
}

static json_t *
libraries_json(void)
{
    return json_pack("{s:s, s:s, s:b, s:b}", "libcurl", curl_features_text(), "jansson",
                     jansson_version_str(), "http2", (int)curl_features_has_http2(), "http3",
                     (int)curl_features_has_http3());
}

static json_t *
limits_json(const struct limits *l)
{
    return json_pack("{s:I, s:I, s:I, s:i, s:i}", "request_bytes", (json_int_t)l->request_bytes,
                     "response_bytes", (json_int_t)l->response_bytes, "buffered_bytes",
                     (json_int_t)l->buffered_bytes, "in_flight", l->in_flight, "queue", l->queue);
}

static json_t *
histogram_json(const struct histogram *h)
{
    int64_t count = 0;

    for (int i = 0; i <= METRICS_BOUNDS; i++)
        count += counter_read(&h->buckets[i]);
    return json_pack("{s:I, s:f}", "count", (json_int_t)count, "sum",
                     (double)counter_read(&h->sum_us) / US_PER_SECOND);
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
        json_object_set_new(all, resend_reason_name((enum resend_reason)i), number(&s->resends[i]));
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
engine_json(const struct engine_stats *s, const struct body_account *bodies)
{
    json_t *all = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "in_flight",
        number(&s->in_flight), "queued", number(&s->queued), "connections", number(&s->connections),
        "connections_opened", number(&s->connections_opened), "connections_reused",
        number(&s->connections_reused), "coalesced", number(&s->coalesced), "buffered_bytes",
        number(&bodies->bytes), "guard_refusals", number(&s->guard_refusals), "guard_reports",
        number(&s->guard_reports), "received_bytes", number(&s->bytes_received), "sent_bytes",
        number(&s->bytes_sent), "queue_seconds", histogram_json(&s->queue_seconds),
        "first_byte_seconds", histogram_json(&s->first_byte_seconds), "fetch_seconds",
        histogram_json(&s->fetch_seconds));

    json_object_update_new(all, restraint_json(s));
    return all;
}

static json_t *
session_json(const struct session *s)
{
    const struct session_config *c = &s->settings;
    json_t *outcomes = json_object();

    for (int e = 0; e < ERROR_COUNT; e++)
        if (counter_read(&s->state->outcomes[e]) > 0)
            json_object_set_new(outcomes, error_code(e), number(&s->state->outcomes[e]));
    return json_pack("{s:o, s:o, s:s, s:i, s:i, s:i, s:i}", "in_flight",
                     number(&s->state->in_flight), "outcomes", outcomes, "cookie_jar",
                     c->shared_jar ? "shared" : "none", "max_in_flight", c->max_in_flight,
                     "max_per_origin", c->max_per_origin, "idle_connections", c->idle_connections,
                     "idle_seconds", c->idle_seconds);
}

static json_t *
sessions_json(const struct config_snapshot *p)
{
    json_t *all = json_object();

    for (size_t i = 0; i < p->session_count; i++)
        json_object_set_new(all, p->sessions[i]->settings.name, session_json(p->sessions[i]));
    return all;
}

static json_t *
gateway_json(const struct status_gateway *g)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "connections", (json_int_t)g->connections, "parked",
                     (json_int_t)g->parked, "requests", (json_int_t)g->requests, "cancelled",
                     (json_int_t)g->cancelled);
}

int
status_write(struct buffer *out, struct curlew *engine, const struct status_gateway *g)
{
    struct config_snapshot *p = engine_snapshot(engine);
    json_t *all = json_pack(
        "{s:s, s:s, s:I, s:i, s:o, s:o, s:o, s:o, s:o}", "version", CURLEW_VERSION, "status",
        g->draining ? "draining" : "ok", "uptime_seconds", (json_int_t)g->uptime_seconds, "threads",
        engine->worker_count, "libraries", libraries_json(), "limits", limits_json(&p->limits),
        "engine", engine_json(&engine->stats, p->bodies), "gateway", gateway_json(g), "sessions",
        sessions_json(p));
    char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;

    config_snapshot_unref(p);
    json_decref(all);
    if (text == NULL)
        return -1;
    buffer_adds(out, text);
    free(text);
    return buffer_ok(out) ? 0 : -1;
}
