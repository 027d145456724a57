/* config_session.c - named sessions: a saved request, and what only a session has. */

#include "message/config_session.h"

#include "http/url.h"
#include "message/field_json.h"
#include "message/request_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

#define BREAKER_FAILURES     5 /* of a breaker that doesn't say */
#define BREAKER_OPEN_SECONDS 10

/* -- one session -------------------------------------------------------- */

bool
config_session_name_valid(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(name, allowed);

    return n >= 1 && n <= NAME_MAX_BYTES && name[n] == '\0';
}

/* Of the session itself (group NULL), or "breaker.NAME". */
static const struct field *
find_field(const char *group, const char *name)
{
    char dotted[64];

    if (group == NULL)
        return strchr(name, '.') == NULL ? session_config_find(name) : NULL;
    snprintf(dotted, sizeof dotted, "%s.%s", group, name);
    return session_config_find(dotted);
}

/* An object is what turns it on, even an empty one. */
static int
read_breaker(struct session_config *s, const struct json_path *at, const json_t *object,
             struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of failures and open_seconds");
    s->breaker.failures = BREAKER_FAILURES;
    s->breaker.open_seconds = BREAKER_OPEN_SECONDS;
    json_object_foreach((json_t *)object, name, value)
    {
        const struct field *f = find_field(at->name, name);
        struct json_path here = { at, name, 0 };

        if (f == NULL)
            return json_path_unknown_key(&here, err);
        if (field_json_read(s, f, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
read_proxies(struct session_config *s, const struct json_path *at, const json_t *value,
             struct failure *err)
{
    if (field_json_texts(&s->proxies, &s->proxy_count, value, at, err) != 0)
        return -1;
    for (size_t i = 0; i < s->proxy_count; i++) {
        struct json_path here = { at, NULL, i };
        struct failure inner = { 0 };
        char *host = url_proxy_host(s->proxies[i], &inner);

        free(host);
        if (host == NULL)
            return json_path_refuse(&here, err,
                                    "must be an http, https, socks5 or socks5h URL with a host");
    }
    return 0;
}

static int
read_key(struct session_config *s, const struct json_path *at, const json_t *value,
         struct failure *err)
{
    const struct field *f = find_field(NULL, at->name);
    int rc;

    if (f != NULL && f->kind == SESSION_GROUP)
        return read_breaker(s, at, value, err);
    if (f != NULL && f->kind == SESSION_PROXIES)
        return read_proxies(s, at, value, err);
    if (f != NULL)
        return field_json_read(s, f, value, at, err);
    rc = request_json_read_default(&s->defaults, at, value, err);
    return rc == 1 ? json_path_unknown_key(at, err) : rc;
}

/* Keys that mean nothing alone. */
static int
check_pairs(const struct session_config *s, const struct json_path *at, struct failure *err)
{
    struct json_path key = { at, "client_key", 0 }, burst = { at, "burst", 0 };

    if (s->client_key != NULL && s->client_cert == NULL)
        return json_path_refuse(&key, err, "requires client_cert");
    if (s->rate_limit.burst > 1 && s->rate_limit.rate <= 0)
        return json_path_refuse(&burst, err, "requires rate_per_origin");
    return 0;
}

static int
read_session(struct session_config *s, const char *name, const json_t *object,
             const struct json_path *at, struct failure *err)
{
    const char *key;
    json_t *value;

    if (!config_session_name_valid(name))
        return json_path_refuse(
            at, err, "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    if (!json_is_object(object))
        return json_path_refuse(at, err, "a session is a JSON object");
    json_object_foreach((json_t *)object, key, value)
    {
        struct json_path here = { at, key, 0 };

        if (read_key(s, &here, value, err) != 0)
            return -1;
    }
    if (check_pairs(s, at, err) != 0)
        return -1;
    free(s->name);
    s->name = strdup(name);
    return s->name == NULL ? failure_no_memory(err) : 0;
}

int
config_session_read(struct session_config *s, const char *name, const json_t *object,
                    struct failure *err)
{
    return read_session(s, name, object, NULL, err);
}

/* -- the file's "sessions" ---------------------------------------------- */

/* "default" is there already; any other begins from the safe defaults, not from it. */
static struct session_config *
find_or_add(struct engine_config *e, const char *name)
{
    struct session_config *p;

    for (size_t i = 0; i < e->session_count; i++)
        if (strcmp(e->sessions[i].name, name) == 0)
            return &e->sessions[i];
    if ((p = realloc(e->sessions, (e->session_count + 1) * sizeof *p)) == NULL)
        return NULL;
    e->sessions = p;
    session_config_init(&p[e->session_count]);
    return &p[e->session_count++];
}

int
config_session_read_all(struct engine_config *e, const json_t *object, const struct json_path *at,
                        struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of name to session");
    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        struct session_config *s = find_or_add(e, name);

        if (s == NULL)
            return failure_no_memory(err);
        if (read_session(s, name, value, &here, err) != 0)
            return -1;
    }
    return 0;
}
