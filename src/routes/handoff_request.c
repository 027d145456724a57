/* handoff_request.c - a request that a view hands to the web server: a handoff. */

#include "routes/handoff_request.h"

#include "engine/engine.h"
#include "message/request_json.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETER "CURLEW_REQUEST"

bool
handoff_request_is_present(const struct exchange *x)
{
    const char *object = exchange_param(x, PARAMETER);

    return object != NULL && *object != '\0';
}

/* A header of the browser is the parameter HTTP_NAME (RFC 3875 section 4.1.18). */
static const char *
browser_header(const struct exchange *x, const char *name)
{
    char parameter[1024] = "HTTP_";
    size_t n = strlen(parameter);

    if (n + strlen(name) >= sizeof parameter)
        return NULL;
    for (; *name != '\0'; name++)
        parameter[n++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    parameter[n] = '\0';
    return exchange_param(x, parameter);
}

static int
forward(const struct exchange *x, const struct headers *names, struct request *r,
        struct failure *err)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i].name;
        const char *value = browser_header(x, name);

        if (value != NULL && *value != '\0' && !request_has_header(r, name) &&
            request_add_header(r, name, value, err) != 0)
            return -1;
    }
    return 0;
}

/* By the request's own forward_headers, or else its session's. */
static int
forward_listed(const struct exchange *x, struct request *r, struct failure *err)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    struct session *s =
        config_snapshot_find_session(config, r->session != NULL ? r->session : "default");
    bool own = r->forward.count > 0 || s == NULL;
    int rc = forward(x, own ? &r->forward : &s->settings.defaults.forward, r, err);

    config_snapshot_unref(config);
    return rc;
}

/* The text of the request object; *stored, which the caller frees, if it was kept in the store. */
static const char *
find_object(const struct exchange *x, char **stored, uint64_t *token, struct failure *err)
{
    const struct route_context *routes = route_context_of(x);
    const char *object = exchange_param(x, PARAMETER);

    if (*object == '@') {
        const char *dot = strrchr(object, '.'); /* the end of the route's key: "@KEY.NAME" */

        *stored =
            handoff_store_take(routes->handoff_store, (dot != NULL ? dot : object) + 1, token);
        if (*stored == NULL)
            failure_set(err, ERROR_BAD_REQUEST,
                        PARAMETER ": the reference is unknown, used already, or too old");
        return *stored;
    }
    if (!auth_requires_token(routes->auth))
        return object;
    failure_set(err, ERROR_UNAUTHORIZED,
                PARAMETER ": tokens are configured: a handoff needs a reference, made by "
                          "POST .../v1/handoffs with a bearer token");
    return NULL;
}

int
handoff_request_load(struct exchange *x, struct failure *err)
{
    char *stored = NULL;
    const char *object;

    x->token = AUTH_NOBODY;
    object = find_object(x, &stored, &x->token, err);
    if (object == NULL)
        return -1;
    buffer_clear(&x->body);
    buffer_adds(&x->body, object);
    free(stored);
    return buffer_ok(&x->body) ? 0 : failure_no_memory(err);
}

int
handoff_request_read(const struct exchange *x, struct request *r, struct failure *err)
{
    if (request_json_parse(r, x->body.data, x->body.len, err) != 0 ||
        auth_check_number(route_context_of(x)->auth, x->token,
                          r->session != NULL ? r->session : "default", err) != 0)
        return -1;
    return forward_listed(x, r, err);
}
