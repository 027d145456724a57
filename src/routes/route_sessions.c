/* route_sessions.c - …/v1/sessions: list, show, create or replace, remove and reset sessions. */

#include "routes/route_sessions.h"

#include "engine/engine.h"
#include "message/config_session.h"
#include "message/session_json.h"
#include "message/session_update.h"
#include "routes/auth.h"
#include "routes/route_context.h"
#include "routes/session_view.h"

#include <string.h>

#define ATTEMPTS 16 /* to change a session that others change at the same time */

static void
no_memory(struct exchange *x)
{
    struct failure err = { .error = ERROR_INTERNAL, .detail = "out of memory" };

    exchange_fail(x, &err);
}

void
route_sessions_on_list(struct exchange *x)
{
    struct failure err = { 0 };
    struct session_view view;

    if (session_view_open(&view, x, &err) != 0) {
        exchange_fail(x, &err);
        return;
    }
    if (session_json_write_all(&x->prefix, view.sessions, view.count) == 0)
        exchange_respond(x, 200, "application/json");
    else
        no_memory(x);
    session_view_close(&view);
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

/* The token must allow this session. */
static int
check(struct exchange *x, bool *limited, struct failure *err)
{
    struct auth *auth = route_context_of(x)->auth;
    uint64_t token;

    if (!config_session_name_valid(x->name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    if (auth_identify(auth, exchange_param(x, "HTTP_AUTHORIZATION"), &token, err) != 0)
        return -1;
    *limited = auth_limits(auth, token);
    return auth_check_number(auth, token, x->name, err);
}

/* 0, with the response's status; 1: another caller has changed the session meanwhile. */
static int
try_put(struct exchange *x, bool limited, int *status, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct session *old = config_snapshot_find_session(config, x->name);
    struct session_config s;
    int rc;

    *status = old != NULL ? 200 : 201;
    session_config_init(&s);
    s.defaults.most = config->limits.request;
    rc = session_update_read(&s, x->name, x->body.data, x->body.len,
                             old != NULL ? &old->settings : NULL, limited, err);
    if (rc == 0)
        rc = engine_replace_session(x->server->engine, x->name, old, &s, err);
    session_config_destroy(&s);
    config_snapshot_unref(config);
    return rc;
}

/* Likewise.  A limited token removes only what such a token has made. */
static int
try_remove(struct exchange *x, bool limited, int *status, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct session *old = config_snapshot_find_session(config, x->name);
    int rc;

    *status = 204;
    if (limited && old != NULL && !old->settings.made_by_limited_token)
        rc = failure_set(err, ERROR_FORBIDDEN,
                         "session: only a token for every session may remove \"%.64s\"", x->name);
    else
        rc = engine_replace_session(x->server->engine, x->name, old, NULL, err);
    config_snapshot_unref(config);
    return rc;
}

static int
change(struct exchange *x, bool limited, int *status, struct failure *err)
{
    const char *method = exchange_method(x);

    for (int i = 0; i < ATTEMPTS; i++) {
        int rc = 0;

        if (strcmp(method, "PUT") == 0)
            rc = try_put(x, limited, status, err);
        else if (strcmp(method, "DELETE") == 0)
            rc = try_remove(x, limited, status, err);
        if (rc <= 0)
            return rc;
    }
    return failure_set(err, ERROR_OVERLOADED, "session: others change \"%.64s\" all the time",
                       x->name);
}

static int
check_replica(const struct exchange *x, struct failure *err)
{
    const char *method = exchange_method(x);

    if (!route_context_of(x)->replica ||
        (strcmp(method, "PUT") != 0 && strcmp(method, "DELETE") != 0))
        return 0;
    return failure_set(err, ERROR_FORBIDDEN,
                       "replica: the other replicas would not know of it: change the sessions in "
                       "every replica's configuration file, and reload it");
}

/* The text is rarely shorter than what it says, so it needn't be read. */
static int
check_size(const struct exchange *x, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    int64_t most = config->limits.session_bytes;

    config_snapshot_unref(config);
    if ((int64_t)x->body.len <= most || strcmp(exchange_method(x), "PUT") != 0)
        return 0;
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.session_bytes: the session object has %zu bytes, over %lld",
                       x->body.len, (long long)most);
}

static void
handle(struct exchange *x)
{
    bool limited = false;

    x->work.status = 200;
    if (check(x, &limited, &x->failure) == 0)
        change(x, limited, &x->work.status, &x->failure);
}

static void
respond(struct exchange *x)
{
    if (x->failure.error != ERROR_NONE)
        exchange_fail(x, &x->failure);
    else if (x->work.status == 204)
        exchange_respond_empty(x);
    else
        show(x, x->work.status, &x->failure);
}

void
route_sessions_on_request(struct exchange *x)
{
    struct failure err = { 0 };

    if (check_replica(x, &err) != 0 || check_size(x, &err) != 0 ||
        exchange_read(x, handle, respond, &err) != 0)
        exchange_fail(x, &err);
}

void
route_sessions_on_reset(struct exchange *x)
{
    struct failure err = { 0 };
    bool limited;

    if (check(x, &limited, &err) != 0 ||
        engine_reset_session(x->server->engine, x->name, &err) != 0)
        exchange_fail(x, &err);
    else
        exchange_respond_empty(x);
}
