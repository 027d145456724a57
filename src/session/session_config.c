/* session_config.c - the settings of one session. */

#include "session/session_config.h"

#include "egress/egress_config.h"

#include <stdlib.h>
#include <string.h>

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

static int
copy_path(char **to, const char *from)
{
    return from != NULL && (*to = strdup(from)) == NULL ? -1 : 0;
}

int
session_config_copy(struct session_config *to, const struct session_config *from,
                    struct failure *err)
{
    session_config_init(to);
    to->shared_jar = from->shared_jar;
    to->trace_context = from->trace_context;
    for (size_t i = 0; i < from->proxy_count; i++)
        if (egress_config_add(&to->proxies, &to->proxy_count, from->proxies[i]) != 0)
            return failure_no_memory(err);
    to->max_in_flight = from->max_in_flight;
    to->max_per_origin = from->max_per_origin;
    to->idle_connections = from->idle_connections;
    to->idle_seconds = from->idle_seconds;
    to->rate_limit = from->rate_limit;
    to->breaker = from->breaker;
    if (copy_path(&to->name, from->name) || copy_path(&to->ca_file, from->ca_file) ||
        copy_path(&to->client_cert, from->client_cert) ||
        copy_path(&to->client_key, from->client_key))
        return failure_no_memory(err);
    return request_merge_copy(&to->defaults, &from->defaults, err);
}
