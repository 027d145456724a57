/* router.c - which route a request is for: the end of its path decides. */

#include "routes/router.h"

#include "fastcgi/params.h"
#include "routes/auth.h"
#include "routes/cross_site.h"
#include "routes/handoff_request.h"
#include "routes/route_batch.h"
#include "routes/route_context.h"
#include "routes/route_fetch.h"
#include "routes/route_fetches.h"
#include "routes/route_handoff.h"
#include "routes/route_health.h"
#include "routes/route_metrics.h"
#include "routes/route_sessions.h"
#include "routes/route_status.h"
#include "routes/route_stream.h"
#include "routes/upload_request.h"

#include <string.h>

/* Longer paths come first: …/v1/status ends in /status, too. */
static const struct route routes[] = {
    { "/v1/fetch", "GET, POST", false, true, true, route_fetch_on_request },
    { "/v1/stream", "GET, POST", false, true, true, route_stream_on_request },
    { "/v1/batch", "POST", false, true, false, route_batch_on_request },
    { "/v1/handoffs", "POST", false, true, false, route_handoff_on_request },
    { "/v1/fetches", "GET, HEAD", false, true, false, route_fetches_on_request },
    { "/v1/sessions", "GET, HEAD", false, true, false, route_sessions_on_list },
    { "/v1/sessions/*/reset", "POST", false, true, false, route_sessions_on_reset },
    { "/v1/sessions/*", "GET, PUT, DELETE", false, true, false, route_sessions_on_request },
    { "/v1/status", "GET, HEAD", false, false, false, route_status_on_request },
    { "/status", "GET, HEAD", true, false, false, route_status_on_page },
    { "/metrics", "GET, HEAD", false, false, false, route_metrics_on_request },
    { "/healthz", "GET, HEAD", true, false, false, route_health_on_request },
};

static const char *
param(const struct exchange *x, const char *name)
{
    const char *value = exchange_param(x, name);

    return value != NULL ? value : "";
}

/*
 * Web servers split the path between the two in different ways; a few leave both empty.  NULL: no
 * memory.
 */
static const char *
join_path(const struct exchange *x, struct buffer *both)
{
    const char *script = param(x, "SCRIPT_NAME"), *info = param(x, "PATH_INFO");

    if (*script == '\0')
        return *info != '\0' ? info : param(x, "DOCUMENT_URI");
    if (*info == '\0')
        return script;
    buffer_adds(both, script);
    buffer_adds(both, info);
    return buffer_ok(both) ? both->data : NULL;
}

/* Does the path end in `pattern`?  "*" is one segment, which is copied into `name`. */
static bool
path_ends_in(const char *path, size_t n, const char *pattern, char *name)
{
    const char *star = strchr(pattern, '*');
    size_t before, after, segment = 0;

    if (star == NULL)
        return n >= strlen(pattern) && strcmp(path + n - strlen(pattern), pattern) == 0;
    before = (size_t)(star - pattern);
    after = strlen(star + 1);
    if (n < before + after || strcmp(path + n - after, star + 1) != 0)
        return false;
    n -= after;
    while (segment < n && path[n - segment - 1] != '/')
        segment++;
    if (segment == 0 || n - segment < before || segment >= EXCHANGE_NAME_SIZE ||
        strncmp(path + n - segment - before, pattern, before) != 0)
        return false;
    memcpy(name, path + n - segment, segment);
    name[segment] = '\0';
    return true;
}

static const struct route *
match(const char *path, char *name)
{
    size_t n = strlen(path);

    for (size_t i = 0; n > 0 && i < sizeof routes / sizeof routes[0]; i++)
        if (path_ends_in(path, n, routes[i].path, name))
            return &routes[i];
    return NULL;
}

/* strstr() finds an empty method everywhere, so the loop would not end. */
static bool
takes(const struct route *route, const char *method)
{
    size_t n = strlen(method);

    if (n == 0 || strpbrk(method, ", ") != NULL)
        return false;
    for (const char *at = route->methods; (at = strstr(at, method)) != NULL; at += n)
        if ((at == route->methods || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

/* By the path alone. */
static const struct route *
find_path(struct exchange *x, struct failure *err)
{
    const struct route *route = NULL;
    struct buffer both;
    const char *path;

    buffer_init(&both, PARAMS_MAX);
    if ((path = join_path(x, &both)) == NULL)
        failure_no_memory(err);
    else if ((route = match(path, x->name)) == NULL)
        failure_set(err, ERROR_NOT_FOUND, "no route ends \"%.80s\"", path);
    buffer_free(&both);
    return route;
}

const struct route *
router_find(struct exchange *x, struct failure *err)
{
    const struct route *route = find_path(x, err);

    if (route == NULL)
        return NULL;
    if (!takes(route, exchange_method(x))) {
        buffer_printf(&x->head, "Allow: %s\r\n", route->methods);
        failure_set(err, ERROR_METHOD_NOT_ALLOWED, "%s takes %s", route->path, route->methods);
        return NULL;
    }
    if (route->acts && cross_site_check(route_context_of(x)->cross_site, x, err) != 0)
        return NULL;
    if (!route->open && auth_check(route_context_of(x)->auth,
                                   exchange_param(x, "HTTP_AUTHORIZATION"), NULL, err) != 0)
        return NULL;
    return route;
}

static void
dispatch(struct exchange *x)
{
    struct failure err = { 0 };
    const struct route *route = router_find(x, &err);

    if (route != NULL)
        route->on_request(x);
    else
        exchange_fail(x, &err);
}

static bool
takes_upload(struct exchange *x)
{
    const struct route *route;
    struct failure none = { 0 };

    if (!upload_request_is_announced(x))
        return false;
    route = find_path(x, &none);
    return route != NULL && route->uploads;
}

/*
 * A handoff needs no token of its own, whatever its path and method, and any page may link to the
 * view that made it: only the web server can set its parameter.  It does not wait for the body,
 * which the browser sent to the view.
 */
void
router_handle(struct exchange *x)
{
    x->handoff = handoff_request_is_present(x);
    if (x->handoff)
        route_stream_on_request(x);
    else if (takes_upload(x))
        exchange_read_upload(x, dispatch);
    else
        exchange_read_body(x, dispatch);
}
