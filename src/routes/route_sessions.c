/*
 * route_sessions.c - …/v1/sessions: list, show, create or replace, remove and reset named
 * sessions.
 */

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/config_session.h"
#include "message/session_json.h"
#include "message/session_update.h"
#include "routes/auth.h"
#include "routes/routes.h"

#include <string.h>

static void
no_memory(struct exchange *c)
{
    struct failure err = { .error = ERROR_INTERNAL, .detail = "out of memory" };

    exchange_fail(c, &err);
}

void
route_sessions_on_list(struct exchange *c)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);

    if (session_json_write_all(&c->prefix, p) == 0)
        exchange_respond(c, 200, "application/json");
    else
        no_memory(c);
    config_snapshot_unref(p);
}

static void
show(struct exchange *c, int status, struct failure *err)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    struct session *s = config_snapshot_find_session(p, c->name);

    if (s == NULL) {
        failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", c->name);
        exchange_fail(c, err);
    } else if (session_json_write(&c->prefix, s) == 0) {
        exchange_respond(c, status, "application/json");
    } else {
        no_memory(c);
    }
    config_snapshot_unref(p);
}

static bool
is_known(struct exchange *c)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    bool known = config_snapshot_find_session(p, c->name) != NULL;

    config_snapshot_unref(p);
    return known;
}

static int
put(struct exchange *c, struct failure *err)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    struct session *old = config_snapshot_find_session(p, c->name);
    struct session_config s;
    int rc;

    session_config_init(&s);
    rc = session_update_read(&s, c->name, c->body.data, c->body.len,
                             old != NULL ? &old->settings : NULL, err);
    if (rc == 0)
        rc = engine_put_session(c->server->engine, &s, err);
    session_config_destroy(&s);
    config_snapshot_unref(p);
    return rc;
}

/* The token must be good for the very session. */
static int
check(struct exchange *c, struct failure *err)
{
    if (!config_session_name_valid(c->name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    return auth_check(c->server->auth, libfcgi_codec_param(c->codec, "HTTP_AUTHORIZATION"), c->name,
                      err);
}

void
route_sessions_on_request(struct exchange *c)
{
    const char *method = exchange_method(c);
    struct failure err = { 0 };
    int status = 200, rc = check(c, &err);

    if (rc == 0 && strcmp(method, "PUT") == 0) {
        status = is_known(c) ? 200 : 201;
        rc = put(c, &err);
    } else if (rc == 0 && strcmp(method, "DELETE") == 0) {
        rc = engine_remove_session(c->server->engine, c->name, &err);
        status = 204;
    }
    if (rc != 0)
        exchange_fail(c, &err);
    else if (status == 204)
        exchange_respond_empty(c);
    else
        show(c, status, &err);
}

void
route_sessions_on_reset(struct exchange *c)
{
    struct failure err = { 0 };

    if (check(c, &err) != 0 || engine_reset_session(c->server->engine, c->name, &err) != 0)
        exchange_fail(c, &err);
    else
        exchange_respond_empty(c);
}
