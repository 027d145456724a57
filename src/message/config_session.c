/* config_session.c - named sessions: a saved request, and what only a session has. */

#include "http/url.h"
#include "message/config_table.h"
#include "message/request_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* -- the table ---------------------------------------------------------- */

static const char *const jars[] = { "none", "shared", NULL };

#define AT(member) offsetof(struct session_config, member)
#define COUNT_MAX  1000000

static const struct field fields[] = {
    { "cookie_jar", FIELD_TWO_WAY, AT(shared_jar), 0, 0, jars },
    { "trace_context", FIELD_BOOL, AT(trace_context), 0, 0, NULL },
    { "max_in_flight", FIELD_INT, AT(max_in_flight), 1, COUNT_MAX, NULL },
    { "max_per_origin", FIELD_INT, AT(max_per_origin), 1, COUNT_MAX, NULL },
    { "idle_connections", FIELD_INT, AT(idle_connections), 0, COUNT_MAX, NULL },
    { "idle_seconds", FIELD_INT, AT(idle_seconds), 1, 86400, NULL },
    { "rate_per_origin", FIELD_NUMBER, AT(rate_limit.rate), 0, COUNT_MAX, NULL },
    { "burst", FIELD_INT, AT(rate_limit.burst), 1, COUNT_MAX, NULL },
    { "breaker.failures", FIELD_INT, AT(breaker.failures), 1, COUNT_MAX, NULL },
    { "breaker.open_seconds", FIELD_NUMBER, AT(breaker.open_seconds), 0, 86400, NULL },
    { "ca_file", FIELD_PATH, AT(ca_file), 0, 0, NULL },
    { "client_cert", FIELD_PATH, AT(client_cert), 0, 0, NULL },
    { "client_key", FIELD_PATH, AT(client_key), 0, 0, NULL },
};

#define BREAKER_FAILURES     5
#define BREAKER_OPEN_SECONDS 10

const char *
session_key(size_t i)
{
    size_t n = sizeof fields / sizeof fields[0];

    return i < n ? fields[i].name : i == n ? "proxies" : NULL;
}

/* -- one session -------------------------------------------------------- */

bool
session_name_valid(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(name, allowed);

    return n >= 1 && n <= NAME_MAX_BYTES && name[n] == '\0';
}

static const struct field *
find_field(const char *group, const char *name)
{
    char dotted[64];

    snprintf(dotted, sizeof dotted, "%s%s", group, name);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].name, dotted) == 0)
            return &fields[i];
    return NULL;
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
        const struct field *f = find_field("breaker.", name);
        struct json_path here = { at, name, 0 };

        if (f == NULL)
            return json_path_unknown_key(&here, err);
        if (field_read(s, f, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
read_proxies(struct session_config *s, const struct json_path *at, const json_t *value,
             struct failure *err)
{
    if (setting_read_texts(&s->proxies, &s->proxy_count, value, at, err) != 0)
        return -1;
    for (size_t i = 0; i < s->proxy_count; i++) {
        struct json_path here = { at, NULL, i };
        struct failure inner = { 0 };
        char *host = url_proxy_host(s->proxies[i], &inner);

        free(host);
        if (host == NULL)
            return json_path_refuse(&here, err,
                                    "not an http, https, socks5 or socks5h URL with a host");
    }
    return 0;
}

static int
read_key(struct session_config *s, const struct json_path *at, const json_t *value,
         struct failure *err)
{
    const struct field *f = strchr(at->name, '.') == NULL ? find_field("", at->name) : NULL;
    int rc;

    if (f != NULL)
        return field_read(s, f, value, at, err);
    if (strcmp(at->name, "breaker") == 0)
        return read_breaker(s, at, value, err);
    if (strcmp(at->name, "proxies") == 0)
        return read_proxies(s, at, value, err);
    rc = request_read_default(&s->defaults, at, value, err);
    return rc == 1 ? json_path_unknown_key(at, err) : rc;
}

/* Keys that mean nothing alone. */
static int
check_pairs(const struct session_config *s, const struct json_path *at, struct failure *err)
{
    struct json_path key = { at, "client_key", 0 }, burst = { at, "burst", 0 };

    if (s->client_key != NULL && s->client_cert == NULL)
        return json_path_refuse(&key, err, "of no use without client_cert");
    if (s->rate_limit.burst > 1 && s->rate_limit.rate <= 0)
        return json_path_refuse(&burst, err, "of no use without rate_per_origin");
    return 0;
}

static int
read_session(struct session_config *s, const char *name, const json_t *object,
             const struct json_path *at, struct failure *err)
{
    const char *key;
    json_t *value;

    if (!session_name_valid(name))
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
session_settings_from_json(struct session_config *s, const char *name, const json_t *object,
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
config_read_sessions(struct config *c, const json_t *object, const struct json_path *at,
                     struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of name to session");
    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        struct session_config *s = find_or_add(&c->engine, name);

        if (s == NULL)
            return failure_no_memory(err);
        if (read_session(s, name, value, &here, err) != 0)
            return -1;
    }
    return 0;
}
