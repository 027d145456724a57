/*
 * route_sessions.c - …/v1/sessions: list, show, create or replace, remove and reset named
 * sessions.
 */

#include "gateway/auth.h"
#include "gateway/fastcgi.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"
#include "message/config.h"
#include "message/session_json.h"

#include <string.h>

static void
no_memory(struct call *c)
{
    struct failure err = { .error = ERROR_INTERNAL, .detail = "out of memory" };

    call_fail(c, &err);
}

void
sessions_route_serve(struct call *c)
{
    struct config_snapshot *p = engine_config_snapshot(c->gateway->engine);

    if (sessions_write(&c->prefix, p) == 0)
        call_answer(c, 200, "application/json");
    else
        no_memory(c);
    config_snapshot_unref(p);
}

static void
show(struct call *c, int status, struct failure *err)
{
    struct config_snapshot *p = engine_config_snapshot(c->gateway->engine);
    struct session *s = config_snapshot_find_session(p, c->name);

    if (s == NULL) {
        failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", c->name);
        call_fail(c, err);
    } else if (session_write(&c->prefix, s) == 0) {
        call_answer(c, status, "application/json");
    } else {
        no_memory(c);
    }
    config_snapshot_unref(p);
}

static bool
is_known(struct call *c)
{
    struct config_snapshot *p = engine_config_snapshot(c->gateway->engine);
    bool known = config_snapshot_find_session(p, c->name) != NULL;

    config_snapshot_unref(p);
    return known;
}

static int
put(struct call *c, struct failure *err)
{
    struct session_config s;
    int rc;

    session_config_init(&s);
    rc = session_from_text(&s, c->name, c->body.data, c->body.len, err);
    if (rc == 0)
        rc = engine_put_session(c->gateway->engine, &s, err);
    session_config_destroy(&s);
    return rc;
}

/* The token must be good for the very session. */
static int
check(struct call *c, struct failure *err)
{
    if (!session_name_valid(c->name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    return auth_check(c->gateway->auth, fastcgi_param(c->fastcgi, "HTTP_AUTHORIZATION"), c->name,
                      err);
}

void
session_route_serve(struct call *c)
{
    const char *method = call_method(c);
    struct failure err = { 0 };
    int status = 200, rc = check(c, &err);

    if (rc == 0 && strcmp(method, "PUT") == 0) {
        status = is_known(c) ? 200 : 201;
        rc = put(c, &err);
    } else if (rc == 0 && strcmp(method, "DELETE") == 0) {
        rc = engine_remove_session(c->gateway->engine, c->name, &err);
        status = 204;
    }
    if (rc != 0)
        call_fail(c, &err);
    else if (status == 204)
        call_answer_empty(c);
    else
        show(c, status, &err);
}

void
session_reset_serve(struct call *c)
{
    struct failure err = { 0 };

    if (check(c, &err) != 0 || engine_reset_session(c->gateway->engine, c->name, &err) != 0)
        call_fail(c, &err);
    else
        call_answer_empty(c);
}
