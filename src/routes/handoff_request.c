/* handoff_request.c - a fetch that a view asked for and the web server streams to the browser. */

#include "routes/handoff_request.h"

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/request_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETER "CURLEW_REQUEST"

bool
handoff_request_is_present(const struct exchange *c)
{
    const char *object = libfcgi_codec_param(c->codec, PARAMETER);

    return object != NULL && *object != '\0';
}

/* A header of the browser's is the parameter HTTP_NAME (RFC 3875 section 4.1.18). */
static const char *
browser_header(const struct exchange *c, const char *name)
{
    struct buffer parameter;
    const char *value = NULL;

    buffer_init(&parameter, 1024);
    buffer_adds(&parameter, "HTTP_");
    for (; *name != '\0'; name++)
        buffer_addc(&parameter, *name == '-' ? '_' : (char)toupper((unsigned char)*name));
    if (buffer_ok(&parameter))
        value = libfcgi_codec_param(c->codec, parameter.data);
    buffer_free(&parameter);
    return value;
}

static int
forward(const struct exchange *c, const struct headers *names, struct request *r,
        struct failure *err)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i].name;
        const char *value = browser_header(c, name);

        if (value != NULL && *value != '\0' && !request_has_header(r, name) &&
            request_add_header(r, name, value, err) != 0)
            return -1;
    }
    return 0;
}

/* The request's own list, or else its session's. */
static int
forward_listed(const struct exchange *c, struct request *r, struct failure *err)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    struct session *s =
        config_snapshot_find_session(p, r->session != NULL ? r->session : "default");
    bool own = r->forward.count > 0 || s == NULL;
    int rc = forward(c, own ? &r->forward : &s->settings.defaults.forward, r, err);

    config_snapshot_unref(p);
    return rc;
}

int
handoff_request_read(struct exchange *c, struct request *r, struct failure *err)
{
    const char *object = libfcgi_codec_param(c->codec, PARAMETER);
    char *shelved = NULL;
    int rc;

    if (*object == '@') {
        if ((shelved = handoff_store_take(c->server->handoff_store, object + 1)) == NULL)
            return failure_set(err, ERROR_BAD_REQUEST,
                               PARAMETER ": the reference is unknown, used already, or too old");
        object = shelved;
    }
    rc = request_json_parse(r, object, strlen(object), err);
    free(shelved);
    return rc == 0 ? forward_listed(c, r, err) : -1;
}
