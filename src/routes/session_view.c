/* session_view.c - the sessions that a caller may see. */

#include "routes/session_view.h"

#include "engine/engine.h"
#include "routes/auth.h"
#include "routes/route_context.h"

#include <stdlib.h>

int
session_view_open(struct session_view *v, const struct exchange *x, struct failure *err)
{
    struct auth *auth = route_context_of(x)->auth;
    uint64_t token;

    *v = (struct session_view){ 0 };
    if (auth_identify(auth, exchange_param(x, "HTTP_AUTHORIZATION"), &token, err) != 0)
        return -1;
    v->limited = auth_limits(auth, token);
    v->config = engine_snapshot(x->server->engine);
    v->sessions = calloc(v->config->session_count + 1, sizeof v->sessions[0]);
    if (v->sessions == NULL) {
        session_view_close(v);
        return failure_no_memory(err);
    }
    for (size_t i = 0; i < v->config->session_count; i++)
        if (!v->limited || auth_allows(auth, token, v->config->sessions[i]->settings.name))
            v->sessions[v->count++] = v->config->sessions[i];
    return 0;
}

void
session_view_close(struct session_view *v)
{
    free(v->sessions);
    config_snapshot_unref(v->config);
    *v = (struct session_view){ 0 };
}
