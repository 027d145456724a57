/* route_handoff.c - POST …/v1/handoffs: keep a request object for a handoff by reference. */

#include "routes/route_handoff.h"

#include "engine/engine.h"
#include "message/request_json.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"

static int
check_target(struct exchange *x, const struct request *r, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    const char *name = r->session != NULL ? r->session : "default";
    struct url u;
    int rc = 0;

    if (config_snapshot_find_session(config, name) == NULL)
        rc = failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", name);
    config_snapshot_unref(config);
    if (rc != 0 || url_parse(&u, r->url, err) != 0)
        return -1;
    url_destroy(&u);
    return 0;
}

/* Errors are reported now, to whoever sent the object, rather than to the browser later. */
static int
check(struct exchange *x, struct failure *err)
{
    struct request r;
    int rc;

    request_init(&r);
    rc = x->body.len == 0
             ? failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed")
             : request_json_parse(&r, x->body.data, x->body.len, err);
    if (rc == 0)
        rc = check_target(x, &r, err);
    if (rc == 0)
        rc = auth_check(route_context_of(x)->auth, exchange_param(x, "HTTP_AUTHORIZATION"),
                        r.session != NULL ? r.session : "default", err);
    request_destroy(&r);
    return rc;
}

void
route_handoff_on_request(struct exchange *x)
{
    char name[HANDOFF_STORE_NAME_SIZE];
    struct failure err = { 0 };

    if (check(x, &err) != 0 || handoff_store_put(route_context_of(x)->handoff_store, x->body.data,
                                                 x->body.len, name, &err) != 0) {
        exchange_fail(x, &err);
        return;
    }
    buffer_printf(&x->prefix, "{\"reference\":\"@%s\",\"expires_in\":%d}", name,
                  HANDOFF_STORE_SECONDS);
    exchange_respond(x, 200, "application/json");
}
