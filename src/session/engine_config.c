/* engine_config.c - the settings of an engine: threads, limits, egress rules, sessions. */

#include "session/engine_config.h"

#include <stdlib.h>
#include <string.h>

#define MIB (INT64_C(1) << 20)

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
            .head_bytes = 16 * 1024,
            .buffered_bytes = 512 * MIB,
            .session_bytes = MIB / 2,
            .sessions_bytes = 64 * MIB,
            .request = REQUEST_LIMITS_DEFAULT,
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
