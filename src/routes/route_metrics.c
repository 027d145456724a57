/* route_metrics.c - GET …/metrics: the counters in Prometheus' text format, version 0.0.4. */

#include "routes/route_metrics.h"

#include "engine/engine.h"
#include "util/clock.h"

#include <inttypes.h>

static void
add_head(struct buffer *b, const char *name, const char *type, const char *help)
{
    buffer_printf(b, "# HELP curlew_%s %s\n# TYPE curlew_%s %s\n", name, help, name, type);
}

static void
add_value(struct buffer *b, const char *name, const char *type, const char *help, int64_t value)
{
    add_head(b, name, type, help);
    buffer_printf(b, "curlew_%s %" PRId64 "\n", name, value);
}

static void
add_histogram(struct buffer *b, const char *name, const char *help,
              const struct histogram *histogram)
{
    int64_t count = 0;

    add_head(b, name, "histogram", help);
    for (int i = 0; i < METRICS_BOUNDS; i++) {
        count += counter_read(&histogram->buckets[i]);
        buffer_printf(b, "curlew_%s_bucket{le=\"%g\"} %" PRId64 "\n", name, metrics_bounds[i],
                      count);
    }
    count += counter_read(&histogram->buckets[METRICS_BOUNDS]);
    buffer_printf(b, "curlew_%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count);
    buffer_printf(b, "curlew_%s_sum %.6f\n", name,
                  (double)counter_read(&histogram->sum_us) / US_PER_SECOND);
    buffer_printf(b, "curlew_%s_count %" PRId64 "\n", name, count);
}

/* Few label values: sessions are named by the operator, outcomes by the error table. */
static void
add_outcomes(struct buffer *b, const struct config_snapshot *config)
{
    add_head(b, "fetches_total", "counter", "Fetches that ended, by session and outcome.");
    for (size_t i = 0; i < config->session_count; i++) {
        const struct session_state *state = config->sessions[i]->state;

        for (int e = 0; e < ERROR_COUNT; e++) {
            int64_t n = counter_read(&state->outcomes[e]);

            if (n > 0 || e == ERROR_NONE)
                buffer_printf(b,
                              "curlew_fetches_total{session=\"%s\",outcome=\"%s\"} %" PRId64 "\n",
                              state->name, error_code(e), n);
        }
    }
}

static void
add_resends(struct buffer *b, const struct engine_stats *stats)
{
    add_head(b, "resends_total", "counter",
             "Requests written again without a retry, by what allowed it.");
    for (int i = RESEND_FORBIDDEN + 1; i < RESEND_REASONS; i++)
        buffer_printf(b, "curlew_resends_total{reason=\"%s\"} %" PRId64 "\n",
                      resend_reason_name((enum resend_reason)i), counter_read(&stats->resends[i]));
}

static void
add_restraint(struct buffer *b, const struct engine_stats *stats)
{
    static const char *const states[CIRCUIT_STATES] = {
        [CIRCUIT_CLOSED] = "closed", [CIRCUIT_OPEN] = "open", [CIRCUIT_HALF_OPEN] = "half_open"
    };

    add_value(b, "retries_waiting", "gauge", "Fetches that wait for another try.",
              counter_read(&stats->retries_waiting));
    add_value(b, "retries_total", "counter", "Tries beyond a fetch's first.",
              counter_read(&stats->retries));
    add_resends(b, stats);
    add_value(b, "retry_budget_refusals_total", "counter",
              "Retries not made, to spare a failing origin or this daemon's memory.",
              counter_read(&stats->retries_refused));
    add_value(b, "breaker_opened_total", "counter", "Times that a breaker has opened.",
              counter_read(&stats->breakers_opened));
    add_head(b, "breakers", "gauge", "Breakers, one a session and origin, by state.");
    for (int i = CIRCUIT_CLOSED; i < CIRCUIT_STATES; i++)
        buffer_printf(b, "curlew_breakers{state=\"%s\"} %" PRId64 "\n", states[i],
                      counter_read(&stats->breakers[i]));
}

static void
add_classes(struct buffer *b, const struct config_snapshot *config)
{
    static const char *const names[STATUS_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx", "other" };

    add_head(b, "responses_total", "counter", "Whole responses, by session and class of status.");
    for (size_t i = 0; i < config->session_count; i++) {
        const struct session_state *state = config->sessions[i]->state;

        for (int k = 0; k < STATUS_CLASSES; k++)
            if (counter_read(&state->classes[k]) > 0 || k == 1)
                buffer_printf(
                    b, "curlew_responses_total{session=\"%s\",status_class=\"%s\"} %" PRId64 "\n",
                    state->name, names[k], counter_read(&state->classes[k]));
    }
}

static void
add_engine(struct buffer *b, const struct engine_stats *stats, const struct body_account *bodies)
{
    add_value(b, "in_flight", "gauge", "Transfers under way.", counter_read(&stats->in_flight));
    add_value(b, "queued", "gauge", "Fetches that wait for their turn.",
              counter_read(&stats->queued));
    add_value(b, "connections", "gauge", "Sockets open toward origins and proxies.",
              counter_read(&stats->connections));
    add_value(b, "buffered_bytes", "gauge", "Bytes of response bodies held.",
              counter_read(&bodies->bytes));
    add_value(b, "connections_opened_total", "counter", "Connections opened.",
              counter_read(&stats->connections_opened));
    add_value(b, "connections_reused_total", "counter", "Hops over a connection that was warm.",
              counter_read(&stats->connections_reused));
    add_value(b, "coalesced_total", "counter", "Fetches that shared another's transfer.",
              counter_read(&stats->coalesced));
    add_value(b, "guard_refusals_total", "counter", "Destinations that the egress guard refused.",
              counter_read(&stats->guard_refusals));
    add_value(b, "guard_reports_total", "counter",
              "Destinations it would have refused, but for egress.report_only.",
              counter_read(&stats->guard_reports));
    add_value(b, "received_bytes_total", "counter", "Bytes of response bodies, decoded.",
              counter_read(&stats->bytes_received));
    add_value(b, "sent_bytes_total", "counter", "Bytes of request bodies.",
              counter_read(&stats->bytes_sent));
    add_histogram(b, "queue_seconds", "Time a fetch waited for its turn.", &stats->queue_seconds);
    add_histogram(b, "first_byte_seconds", "Time from a hop's start to its first byte.",
                  &stats->first_byte_seconds);
    add_histogram(b, "fetch_seconds", "Time from submission to the end of a fetch.",
                  &stats->fetch_seconds);
}

void
route_metrics_on_request(struct exchange *x)
{
    const struct fcgi_server_stats *stats = &x->server->stats;
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct buffer *b = &x->prefix;

    add_engine(b, &x->server->engine->stats, config->bodies);
    add_restraint(b, &x->server->engine->stats);
    add_outcomes(b, config);
    add_classes(b, config);
    add_value(b, "parked", "gauge", "Requests that wait for their fetch.",
              counter_read(&stats->parked));
    add_value(b, "request_body_bytes", "gauge", "Bytes of requests' bodies held.",
              counter_read(&stats->bodies));
    add_value(b, "gateway_connections", "gauge", "Connections from web servers.",
              counter_read(&stats->connections));
    add_value(b, "requests_total", "counter", "Requests from web servers.",
              counter_read(&stats->requests));
    add_value(b, "cancelled_total", "counter", "Requests whose caller left before the answer.",
              counter_read(&stats->cancelled));
    config_snapshot_unref(config);
    exchange_respond(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}
