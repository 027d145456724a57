/* request_auth.c - who we are to the origin and to the proxy. */

#include "message/request_auth.h"

#include "http/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Some of these become part of a header, which a line break would end. */
static const char *
secret(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *text = field_json_string(value, at, rd->err);

    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            json_path_refuse(at, rd->err, "must not contain control characters");
            return NULL;
        }
    }
    return text;
}

static int
copy_secret(struct request_context *rd, const struct json_path *at, const json_t *value, char **to)
{
    const char *text = secret(rd, at, value);
    char *copy;

    if (text == NULL)
        return -1;
    if ((copy = strdup(text)) == NULL)
        return failure_no_memory(rd->err);
    free(*to);
    *to = copy;
    return 0;
}

static int
read_credentials(struct request_context *rd, const struct json_path *at, const json_t *value,
                 struct credentials *to)
{
    struct json_path user = { at, NULL, 0 }, password = { at, NULL, 1 };

    if (!json_is_array(value) || json_array_size(value) != 2)
        return json_path_refuse(at, rd->err, "expected [user, password]");
    if (copy_secret(rd, &user, json_array_get(value, 0), &to->user) != 0 ||
        copy_secret(rd, &password, json_array_get(value, 1), &to->password) != 0)
        return -1;
    if (strchr(to->user, ':') != NULL)
        return json_path_refuse(&user, rd->err, "a user name cannot contain a colon");
    return 0;
}

int
request_auth_read_proxy_auth(struct request_context *rd, const struct json_path *at,
                             const json_t *value)
{
    return read_credentials(rd, at, value, &rd->r->proxy_auth);
}

static int
read_bearer(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) == 0)
        return json_path_refuse(at, rd->err, "expected a token");
    return copy_secret(rd, at, value, &rd->r->auth_token);
}

int
request_auth_read(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    static const char *const kinds[] = { "none", "basic", "digest", "bearer" };
    void *only = json_object_iter((json_t *)value);
    const char *name = json_object_size(value) == 1 ? json_object_iter_key(only) : "";
    struct json_path here = { at, name, 0 };
    enum auth_kind kind = AUTH_BASIC;

    while (kind <= AUTH_BEARER && strcmp(name, kinds[kind]) != 0)
        kind++;
    if (kind > AUTH_BEARER)
        return json_path_refuse(at, rd->err,
                                "expected {\"basic\": [user, password]}, "
                                "{\"digest\": [user, password]} or {\"bearer\": token}");
    rd->r->auth = kind;
    if (kind == AUTH_BEARER)
        return read_bearer(rd, &here, json_object_iter_value(only));
    return read_credentials(rd, &here, json_object_iter_value(only), &rd->r->auth_pair);
}

int
request_auth_read_proxy(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *text = field_json_string(value, at, rd->err);

    if (text == NULL)
        return -1;
    if (!url_has_proxy_scheme(text) || strstr(text, "://")[3] == '\0')
        return json_path_refuse(at, rd->err, "expected an " URL_PROXY_SCHEMES " URL");
    return field_json_text(&rd->r->proxy, value, at, rd->err);
}
