/* route_metrics.c - GET …/metrics: the counters in Prometheus' text format, version 0.0.4. */

#include "routes/route_metrics.h"

#include "engine/engine.h"
#include "libcurl/curl_features.h"
#include "libcurl/impersonate_targets.h"
#include "libcurl/libcurl_choice.h"
#include "routes/session_view.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/process_usage.h"

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
add_outcomes(struct buffer *b, const struct session_view *view)
{
    add_head(b, "fetches_total", "counter", "Fetches that ended, by session and outcome.");
    for (size_t i = 0; i < view->count; i++) {
        const struct session_state *state = view->sessions[i]->state;

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

    add_value(b, "retries_waiting", "gauge", "Fetches that wait for their next attempt.",
              counter_read(&stats->retries_waiting));
    add_value(b, "retries_total", "counter", "Retries sent.", counter_read(&stats->retries));
    add_resends(b, stats);
    add_value(b, "retry_budget_refusals_total", "counter",
              "Retries refused: the origin's budget is used up, or too many wait.",
              counter_read(&stats->retries_refused));
    add_value(b, "breaker_opened_total", "counter", "Times that a circuit breaker has opened.",
              counter_read(&stats->breakers_opened));
    add_head(b, "breakers", "gauge", "Circuit breakers, one a session and origin, by state.");
    for (int i = CIRCUIT_CLOSED; i < CIRCUIT_STATES; i++)
        buffer_printf(b, "curlew_breakers{state=\"%s\"} %" PRId64 "\n", states[i],
                      counter_read(&stats->breakers[i]));
}

static void
add_classes(struct buffer *b, const struct session_view *view)
{
    add_head(b, "responses_total", "counter", "Complete responses, by session and status class.");
    for (size_t i = 0; i < view->count; i++) {
        const struct session_state *state = view->sessions[i]->state;

        for (int k = 0; k < STATUS_CLASSES; k++)
            if (counter_read(&state->classes[k]) > 0 || k == 1)
                buffer_printf(
                    b, "curlew_responses_total{session=\"%s\",status_class=\"%s\"} %" PRId64 "\n",
                    state->name, session_status_class(k), counter_read(&state->classes[k]));
    }
}

static void
add_engine(struct buffer *b, const struct engine_stats *stats, const struct body_account *bodies)
{
    add_value(b, "in_flight", "gauge", "Transfers in progress.", counter_read(&stats->in_flight));
    add_value(b, "queued", "gauge", "Fetches in the queue.", counter_read(&stats->queued));
    add_value(b, "connections", "gauge", "Open connections to origins and proxies.",
              counter_read(&stats->connections));
    add_value(b, "buffered_bytes", "gauge", "Bytes of response bodies held in memory.",
              counter_read(&bodies->bytes));
    add_value(b, "connections_opened_total", "counter", "Connections opened.",
              counter_read(&stats->connections_opened));
    add_value(b, "connections_reused_total", "counter",
              "Requests sent on a connection from the pool.",
              counter_read(&stats->connections_reused));
    add_value(b, "coalesced_total", "counter",
              "Fetches answered by the transfer of an identical one.",
              counter_read(&stats->coalesced));
    add_value(b, "guard_refusals_total", "counter", "Destinations that the egress rules refused.",
              counter_read(&stats->guard_refusals));
    add_value(b, "guard_reports_total", "counter",
              "Destinations that only egress.report_only let through.",
              counter_read(&stats->guard_reports));
    add_value(b, "lookups_refused_total", "counter",
              "Name look-ups refused because too many abandoned ones are still running.",
              counter_read(&stats->lookups_refused));
    add_value(b, "received_bytes_total", "counter",
              "Bytes of response bodies, after decompression.",
              counter_read(&stats->bytes_received));
    add_value(b, "sent_bytes_total", "counter", "Bytes of request bodies.",
              counter_read(&stats->bytes_sent));
    add_histogram(b, "queue_seconds", "Time a fetch spent in the queue.", &stats->queue_seconds);
    add_histogram(b, "first_byte_seconds", "Time from a hop's start to its first byte.",
                  &stats->first_byte_seconds);
    add_histogram(b, "fetch_seconds", "Time from submission to the end of a fetch.",
                  &stats->fetch_seconds);
}

/* By the kind of thread: how many there are is a setting. */
static void
add_slow_turns(struct buffer *b, const struct fcgi_server *server)
{
    add_head(b, "slow_loop_turns_total", "counter",
             "Turns of an event loop that took over 250 ms, by the kind of thread.");
    buffer_printf(b, "curlew_slow_loop_turns_total{thread=\"fcgi-worker\"} %" PRId64 "\n",
                  counter_read(&server->stats.slow_turns));
    buffer_printf(b, "curlew_slow_loop_turns_total{thread=\"engine\"} %" PRId64 "\n",
                  counter_read(&server->engine->stats.slow_turns));
}

static void
add_label(struct buffer *b, const char *name, const char *value)
{
    buffer_printf(b, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buffer_adds(b, "\\");
        if (*value != '\n') /* in a file's name */
            buffer_add(b, value, 1);
        else
            buffer_adds(b, "\\n");
    }
    buffer_adds(b, "\"");
}

/* Constant while the process runs; the value is 1, the labels say what it has. */
static void
add_libcurl(struct buffer *b)
{
    int64_t targets = 0;

    while (impersonate_targets_get((size_t)targets) != NULL)
        targets++;
    add_head(b, "libcurl_info", "gauge", "The libcurl in use, by version and file; always 1.");
    buffer_adds(b, "curlew_libcurl_info{");
    add_label(b, "version", curl_features_version());
    buffer_adds(b, ",");
    add_label(b, "file", libcurl_choice_file());
    buffer_printf(b, ",http2=\"%d\",http3=\"%d\",impersonate=\"%d\"} 1\n",
                  curl_features_has_http2(), curl_features_has_http3(), targets > 0);
    add_value(b, "impersonate_targets", "gauge",
              "Browsers that the libcurl in use can impersonate.", targets);
}

/* As many as there may be, by the name of the gauge that says how many there are. */
static void
add_limits(struct buffer *b, const struct fcgi_server *server, const struct config_snapshot *config)
{
    const struct limits *l = &config->limits;
    const struct {
        const char *name;
        int64_t value;
    } limits[] = {
        { "in_flight", l->in_flight },
        { "queued", l->queue },
        { "connections", server->engine->shares.origins },
        { "gateway_connections", server->engine->shares.callers },
        { "buffered_bytes", l->buffered_bytes },
        { "request_body_bytes", l->buffered_bytes },
        { "sessions_bytes", l->sessions_bytes },
        { "cookie_jars_bytes", COOKIE_JAR_GROUP_BYTES_MAX },
    };

    add_head(b, "limit", "gauge", "The limit of the gauge that the label names.");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        buffer_printf(b, "curlew_limit{limit=\"%s\"} %" PRId64 "\n", limits[i].name,
                      limits[i].value);
}

/* Under the names that Prometheus has for every process. */
static void
add_process(struct buffer *b)
{
    int64_t resident = process_usage_resident_bytes();

    buffer_printf(b,
                  "# HELP process_cpu_seconds_total Processor time used, in seconds.\n"
                  "# TYPE process_cpu_seconds_total counter\n"
                  "process_cpu_seconds_total %.6f\n",
                  (double)process_usage_cpu_us() / US_PER_SECOND);
    if (resident >= 0)
        buffer_printf(b,
                      "# HELP process_resident_memory_bytes Resident memory, in bytes.\n"
                      "# TYPE process_resident_memory_bytes gauge\n"
                      "process_resident_memory_bytes %" PRId64 "\n",
                      resident);
}

/* What concerns all sessions together. */
static void
add_daemon(struct buffer *b, const struct fcgi_server *server, const struct config_snapshot *config)
{
    const struct fcgi_server_stats *stats = &server->stats;

    add_libcurl(b);
    add_process(b);
    add_limits(b, server, config);
    add_engine(b, &server->engine->stats, config->bodies);
    add_restraint(b, &server->engine->stats);
    add_value(b, "start_time_seconds", "gauge", "When curlewd started, in seconds since the epoch.",
              server->start_time);
    add_value(b, "parked", "gauge", "Requests that wait for their fetch.",
              counter_read(&stats->parked));
    add_value(b, "request_body_bytes", "gauge", "Bytes of request bodies held in memory.",
              counter_read(&stats->bodies));
    add_value(b, "gateway_connections", "gauge", "Connections from web servers.",
              counter_read(&stats->connections));
    add_value(b, "requests_total", "counter", "Requests from web servers.",
              counter_read(&stats->requests));
    add_value(b, "cancelled_total", "counter",
              "Requests whose client disconnected before the response.",
              counter_read(&stats->cancelled));
    add_value(b, "sessions_bytes", "gauge",
              "Bytes of sessions, with replaced ones that fetches still hold.",
              counter_read(&config->session_account->bytes));
    add_value(b, "cookie_jars_bytes", "gauge", "Bytes of the cookies in all shared cookie jars.",
              cookie_jar_group_bytes(config->jars));
    add_value(b, "large_messages", "gauge",
              "Large requests being read and large envelopes being written, and those that wait.",
              counter_read(&stats->large));
    add_slow_turns(b, server);
    add_value(b, "log_lines_dropped_total", "counter",
              "Log lines dropped because standard error was too slow or failed.",
              (int64_t)log_dropped_lines());
}

void
route_metrics_on_request(struct exchange *x)
{
    struct failure err = { 0 };
    struct session_view view;

    if (session_view_open(&view, x, &err) != 0) {
        exchange_fail(x, &err);
        return;
    }
    if (!view.limited)
        add_daemon(&x->prefix, x->server, view.config);
    add_outcomes(&x->prefix, &view);
    add_classes(&x->prefix, &view);
    session_view_close(&view);
    exchange_respond(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}
