/* route_handoff.c - POST …/v1/handoffs: keep a request object for a hand-off by reference. */

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/request_json.h"
#include "routes/auth.h"
#include "routes/routes.h"

static int
check_target(struct exchange *c, const struct request *r, struct failure *err)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    const char *name = r->session != NULL ? r->session : "default";
    struct url u;
    int rc = 0;

    if (config_snapshot_find_session(p, name) == NULL)
        rc = failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", name);
    config_snapshot_unref(p);
    if (rc != 0 || url_parse(&u, r->url, err) != 0)
        return -1;
    url_destroy(&u);
    return 0;
}

/* It is read now as it will be then, so that its sender hears what is wrong with it. */
static int
check(struct exchange *c, struct failure *err)
{
    struct request r;
    int rc;

    request_init(&r);
    rc = c->body.len == 0
             ? failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed")
             : request_json_parse(&r, c->body.data, c->body.len, err);
    if (rc == 0)
        rc = check_target(c, &r, err);
    if (rc == 0)
        rc = auth_check(c->server->auth, libfcgi_codec_param(c->codec, "HTTP_AUTHORIZATION"),
                        r.session != NULL ? r.session : "default", err);
    request_destroy(&r);
    return rc;
}

void
route_handoff_on_request(struct exchange *c)
{
    char name[HANDOFF_STORE_NAME_SIZE];
    struct failure err = { 0 };

    if (check(c, &err) != 0 ||
        handoff_store_put(c->server->handoff_store, c->body.data, c->body.len, name, &err) != 0) {
        exchange_fail(c, &err);
        return;
    }
    buffer_printf(&c->prefix, "{\"reference\":\"@%s\",\"expires_in\":%d}", name,
                  HANDOFF_STORE_SECONDS);
    exchange_respond(c, 200, "application/json");
}
