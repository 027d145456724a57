/* route_sessions.c - …/v1/sessions: list, show, create or replace, remove and reset sessions. */

#include "routes/route_sessions.h"

#include "engine/engine.h"
#include "message/config_session.h"
#include "message/session_json.h"
#include "message/session_update.h"
#include "routes/auth.h"
#include "routes/route_context.h"

#include <string.h>

static void
no_memory(struct exchange *x)
{
    struct failure err = { .error = ERROR_INTERNAL, .detail = "out of memory" };

    exchange_fail(x, &err);
}

void
route_sessions_on_list(struct exchange *x)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);

    if (session_json_write_all(&x->prefix, config) == 0)
        exchange_respond(x, 200, "application/json");
    else
        no_memory(x);
    config_snapshot_unref(config);
}

static void
show(struct exchange *x, int status, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct session *s = config_snapshot_find_session(config, x->name);

    if (s == NULL) {
        failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", x->name);
        exchange_fail(x, err);
    } else if (session_json_write(&x->prefix, s) == 0) {
        exchange_respond(x, status, "application/json");
    } else {
        no_memory(x);
    }
    config_snapshot_unref(config);
}

static bool
is_known(const struct exchange *x)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    bool known = config_snapshot_find_session(config, x->name) != NULL;

    config_snapshot_unref(config);
    return known;
}

static int
put(struct exchange *x, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct session *old = config_snapshot_find_session(config, x->name);
    struct session_config s;
    int rc;

    session_config_init(&s);
    rc = session_update_read(&s, x->name, x->body.data, x->body.len,
                             old != NULL ? &old->settings : NULL, err);
    config_snapshot_unref(config);
    if (rc == 0)
        rc = engine_put_session(x->server->engine, &s, err);
    session_config_destroy(&s);
    return rc;
}

/* The token must allow this session. */
static int
check(struct exchange *x, struct failure *err)
{
    if (!config_session_name_valid(x->name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    return auth_check(route_context_of(x)->auth, exchange_param(x, "HTTP_AUTHORIZATION"), x->name,
                      err);
}

void
route_sessions_on_request(struct exchange *x)
{
    const char *method = exchange_method(x);
    struct failure err = { 0 };
    int status = 200, rc = check(x, &err);

    if (rc == 0 && strcmp(method, "PUT") == 0) {
        status = is_known(x) ? 200 : 201;
        rc = put(x, &err);
    } else if (rc == 0 && strcmp(method, "DELETE") == 0) {
        rc = engine_remove_session(x->server->engine, x->name, &err);
        status = 204;
    }
    if (rc != 0)
        exchange_fail(x, &err);
    else if (status == 204)
        exchange_respond_empty(x);
    else
        show(x, status, &err);
}

void
route_sessions_on_reset(struct exchange *x)
{
    struct failure err = { 0 };

    if (check(x, &err) != 0 || engine_reset_session(x->server->engine, x->name, &err) != 0)
        exchange_fail(x, &err);
    else
        exchange_respond_empty(x);
}
