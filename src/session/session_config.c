/* session_config.c - what a session engine is told: limits, egress rules, named sessions. */

#include "session/session_config.h"

#include <stdlib.h>
#include <string.h>

#define MIB (INT64_C(1) << 20)

void
session_config_init(struct session_config *s)
{
    *s = (struct session_config){
        .trace_context = true,
        .max_in_flight = 2048,
        .max_per_origin = 1024,
        .idle_connections = 256,
        .idle_seconds = 60,
        .rate_limit = { .rate = 0, .burst = 1 },
    };
    request_init(&s->defaults);
}

void
session_config_destroy(struct session_config *s)
{
    free(s->name);
    request_destroy(&s->defaults);
    for (size_t i = 0; i < s->proxy_count; i++)
        free(s->proxies[i]);
    free(s->proxies);
    free(s->ca_file);
    free(s->client_cert);
    free(s->client_key);
    *s = (struct session_config){ 0 };
}

/* Without memory there is no session at all, which whoever reads the settings refuses. */
static void
add_default_session(struct engine_config *s)
{
    if ((s->sessions = calloc(1, sizeof *s->sessions)) == NULL)
        return;
    session_config_init(&s->sessions[0]);
    s->sessions[0].name = strdup("default");
    s->session_count = s->sessions[0].name != NULL;
}

void
engine_config_init(struct engine_config *s)
{
    *s = (struct engine_config){
        .threads = 1,
        .limits = {
            .request_bytes = 16 * MIB,
            .response_bytes = 64 * MIB,
            .buffered_bytes = 512 * MIB,
            .in_flight = 2048,
            .queue = 2048,
        },
    };
    egress_config_init(&s->egress);
    add_default_session(s);
}

void
engine_config_destroy(struct engine_config *s)
{
    egress_config_destroy(&s->egress);
    for (size_t i = 0; i < s->session_count; i++)
        session_config_destroy(&s->sessions[i]);
    free(s->sessions);
    *s = (struct engine_config){ 0 };
}
