/* handoff_request.c - a request that a view hands to the web server: a handoff. */

#include "routes/handoff_request.h"

#include "engine/engine.h"
#include "message/request_json.h"
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
    struct buffer parameter;
    const char *value = NULL;

    buffer_init(&parameter, 1024);
    buffer_adds(&parameter, "HTTP_");
    for (; *name != '\0'; name++)
        buffer_addc(&parameter, *name == '-' ? '_' : (char)toupper((unsigned char)*name));
    if (buffer_ok(&parameter))
        value = exchange_param(x, parameter.data);
    buffer_free(&parameter);
    return value;
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

int
handoff_request_read(struct exchange *x, struct request *r, struct failure *err)
{
    const char *object = exchange_param(x, PARAMETER);
    char *stored = NULL;
    int rc;

    if (*object == '@') {
        if ((stored = handoff_store_take(route_context_of(x)->handoff_store, object + 1)) == NULL)
            return failure_set(err, ERROR_BAD_REQUEST,
                               PARAMETER ": the reference is unknown, used already, or too old");
        object = stored;
    }
    rc = request_json_parse(r, object, strlen(object), err);
    free(stored);
    return rc == 0 ? forward_listed(x, r, err) : -1;
}
