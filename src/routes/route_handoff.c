/* route_handoff.c - POST …/v1/handoffs: keep a request object for a handoff by reference. */

#include "routes/route_handoff.h"

#include "engine/engine.h"
#include "message/request_json.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"

#define KEY_MAX 512 /* characters: a scheme, a host name, a port */

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
check(struct exchange *x, uint64_t token, struct failure *err)
{
    struct config_snapshot *config;
    struct request r;
    int rc;

    if (x->server->draining)
        return failure_set(err, ERROR_DRAINING, "the daemon is stopping");
    config = engine_snapshot(x->server->engine);
    request_init(&r);
    r.most = config->limits.request;
    config_snapshot_unref(config);
    rc = x->body.len == 0
             ? failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a request object is needed")
             : request_json_parse(&r, x->body.data, x->body.len, err);
    if (rc == 0)
        rc = auth_check_number(route_context_of(x)->auth, token,
                               r.session != NULL ? r.session : "default", err);
    if (rc == 0)
        rc = request_refuse_upload(&r, err);
    if (rc == 0)
        rc = check_target(x, &r, err);
    request_destroy(&r);
    return rc;
}

/*
 * By which a balancer has chosen this replica: the reference repeats it, so that the handoff is
 * sent here, too.  "": none.  It stands in JSON and in a header as it is.
 */
static const char *
find_key(const struct exchange *x, struct failure *err)
{
    const char *key = exchange_param(x, "HTTP_CURLEW_ROUTE");
    size_t n = 0;

    if (key == NULL)
        return "";
    while (key[n] > ' ' && key[n] <= '~' && key[n] != '"' && key[n] != '\\')
        n++;
    if (key[n] == '\0' && n <= KEY_MAX)
        return key;
    failure_set(err, ERROR_BAD_REQUEST,
                "Curlew-Route: expected a session's name or an origin such as "
                "\"https://example.org:443\", of at most %d characters",
                KEY_MAX);
    return NULL;
}

static void
keep(struct exchange *x)
{
    const struct route_context *routes = route_context_of(x);
    const char *key = find_key(x, &x->failure);
    char name[HANDOFF_STORE_NAME_SIZE];
    uint64_t token;

    if (key == NULL ||
        auth_identify(routes->auth, exchange_param(x, "HTTP_AUTHORIZATION"), &token, &x->failure) !=
            0 ||
        check(x, token, &x->failure) != 0 ||
        handoff_store_put(routes->handoff_store, x->body.data, x->body.len, token, name,
                          &x->failure) != 0)
        return;
    buffer_printf(&x->prefix, "{\"reference\":\"@%s%s%s\",\"expires_in\":%d}", key,
                  *key != '\0' ? "." : "", name, HANDOFF_STORE_SECONDS);
}

static void
respond(struct exchange *x)
{
    if (x->failure.error != ERROR_NONE)
        exchange_fail(x, &x->failure);
    else
        exchange_respond(x, 200, "application/json");
}

void
route_handoff_on_request(struct exchange *x)
{
    struct failure err = { 0 };

    if (exchange_read(x, keep, respond, &err) != 0)
        exchange_fail(x, &err);
}
