/* config_table.c - the daemon's configuration: the table of settings, and how odd ones are read. */

#include "message/config_table.h"

#include "http/web_origin.h"
#include "message/field_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- odd ones ------------------------------------------------------------ */

static int
read_listen(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    json_t *list;
    int rc;

    if (!json_is_string(value) && !json_is_array(value))
        return json_path_refuse(at, err, "expected a string, or a list of strings");
    list = json_is_string(value) ? json_array() : json_incref((json_t *)value);
    if (json_is_string(value))
        json_array_append(list, (json_t *)value);
    rc = field_json_texts(&c->listen, &c->listen_count, list, at, err);
    json_decref(list);
    if (rc == 0 && c->listen_count == 0)
        rc = json_path_refuse(at, err, "expected at least one address");
    return rc;
}

static int
read_origins(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    if (field_json_texts(&c->origins, &c->origin_count, value, at, err) != 0)
        return -1;
    for (size_t i = 0; i < c->origin_count; i++) {
        struct json_path here = { at, NULL, i };

        if (!web_origin_is_valid(c->origins[i]))
            return json_path_refuse(&here, err,
                                    "expected the origin of pages, such as "
                                    "\"https://www.example.org\", without a path");
    }
    return 0;
}

static int
read_allow(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    struct egress_config *r = &c->engine.egress;

    return field_json_texts(&r->allow, &r->allow_count, value, at, err);
}

static int
read_deny(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    struct egress_config *r = &c->engine.egress;

    return field_json_texts(&r->deny, &r->deny_count, value, at, err);
}

static int
read_port_list(struct egress_ports *p, const json_t *value, const struct json_path *at,
               struct failure *err)
{
    static const struct field port = { .kind = FIELD_INT, .min = 1, .max = 65535 };
    size_t count = json_array_size(value);

    if (!json_is_array(value))
        return json_path_refuse(at, err, "expected a list of ports");
    free(p->list);
    p->count = 0;
    if ((p->list = calloc(count > 0 ? count : 1, sizeof *p->list)) == NULL)
        return failure_no_memory(err);
    for (; p->count < count; p->count++) {
        struct json_path here = { at, NULL, p->count };
        const json_t *item = json_array_get(value, p->count);

        if (field_json_read(&p->list[p->count], &port, item, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
read_ports(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    return read_port_list(&c->engine.egress.ports, value, at, err);
}

static int
read_proxy_ports(struct config *c, const json_t *value, const struct json_path *at,
                 struct failure *err)
{
    return read_port_list(&c->engine.egress.proxy_ports, value, at, err);
}

static int
read_schemes(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    struct egress_config *r = &c->engine.egress;

    if (json_array_size(value) == 0)
        return json_path_refuse(at, err, "expected a list of http, https or both");
    r->http = r->https = false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct json_path here = { at, NULL, i };
        const char *text = json_string_value(json_array_get(value, i));

        if (text != NULL && strcmp(text, "http") == 0)
            r->http = true;
        else if (text != NULL && strcmp(text, "https") == 0)
            r->https = true;
        else
            return json_path_refuse(&here, err, "expected http or https");
    }
    return 0;
}

/* Octal digits in a string: JSON's 0660 is no number, and its 660 is another mode. */
static int
read_mode(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    const char *text = json_string_value(value);
    size_t n = text != NULL ? strspn(text, "01234567") : 0;

    if (n < 3 || n > 4 || text[n] != '\0' || strtoul(text, NULL, 8) > 0777)
        return json_path_refuse(at, err, "expected octal digits in quotes, \"0600\" to \"0777\"");
    c->socket_mode = (mode_t)strtoul(text, NULL, 8);
    c->socket_mode_named = true;
    return 0;
}

/* Two names of one setting: `responders` is the old one, gone in 0.3. */
static int
read_workers_as(struct config *c, bool *named, const json_t *value, const struct json_path *at,
                struct failure *err)
{
    static const struct field field = { .kind = FIELD_INT, .min = 1, .max = 64 };

    if (field_json_read(&c->workers, &field, value, at, err) != 0)
        return -1;
    *named = true;
    if (!c->workers_named || !c->responders_named)
        return 0;
    return json_path_refuse(at, err, "responders is the old name of workers; give workers only");
}

static int
read_workers(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    return read_workers_as(c, &c->workers_named, value, at, err);
}

static int
read_responders(struct config *c, const json_t *value, const struct json_path *at,
                struct failure *err)
{
    return read_workers_as(c, &c->responders_named, value, at, err);
}

/* -- the table ---------------------------------------------------------- */

static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const formats[] = { "text", "json", NULL };

#define AT(member)    offsetof(struct config, member)
#define LIMIT(member) offsetof(struct config, engine.limits.member)
#define OTHER(name)                            \
    {                                          \
        name, FIELD_OTHER, 0, 0, 0, NULL, 0, 0 \
    }
#define WORKERS(name)                                   \
    {                                                   \
        name, FIELD_INT, AT(workers), 1, 64, NULL, 0, 0 \
    }
#define BYTES      1, FIELD_BYTES_MAX, NULL, 0, 0
#define COUNT(min) min, 1000000, NULL, 0, 0

/* clang-format off */
static const struct setting settings[] = {
    { OTHER("listen"), read_listen, TEXTS },
    { OTHER("socket_mode"), read_mode, ONE },
    { { "socket_group", FIELD_TEXT, AT(socket_group), 1, 255, NULL, 0, 0 }, NULL, ONE },
    { WORKERS("workers"), read_workers, ONE },
    { WORKERS("responders"), read_responders, ONE },
    { { "threads", FIELD_INT, AT(engine.threads), 1, 64, NULL, 0, 0 }, NULL, ONE },
    { { "drain_seconds", FIELD_INT, AT(drain_seconds), 0, 86400, NULL, 0, 0 }, NULL, ONE },
    { { "replica", FIELD_BOOL, AT(replica), 0, 0, NULL, 0, 0 }, NULL, ONE },
    { { "libcurl", FIELD_PATH, AT(libcurl), 0, 0, NULL, 0, 0 }, NULL, ONE },
    { { "log.level", FIELD_CHOICE, AT(log_level), 0, 0, levels, 0, 0 }, NULL, ONE },
    { { "log.format", FIELD_TWO_WAY, AT(log_json), 0, 0, formats, 0, 0 }, NULL, ONE },
    { { "log.access", FIELD_BOOL, AT(log_access), 0, 0, NULL, 0, 0 }, NULL, ONE },
    { { "log.slow_seconds", FIELD_NUMBER, AT(log_slow_seconds), 0, 86400, NULL, 0, FIELD_UNSET },
      NULL, ONE },
    { { "auth.tokens_file", FIELD_PATH, AT(tokens_file), 0, 0, NULL, 0, 0 }, NULL, ONE },
    { OTHER("auth.origins"), read_origins, TEXTS },
    { { "limits.request_bytes", FIELD_INT64, LIMIT(request_bytes), BYTES }, NULL, ONE },
    { { "limits.upload_bytes", FIELD_INT64, LIMIT(upload_bytes), BYTES }, NULL, ONE },
    { { "limits.response_bytes", FIELD_INT64, LIMIT(response_bytes), BYTES }, NULL, ONE },
    { { "limits.head_bytes", FIELD_INT64, LIMIT(head_bytes), BYTES }, NULL, ONE },
    { { "limits.buffered_bytes", FIELD_INT64, LIMIT(buffered_bytes), BYTES }, NULL, ONE },
    { { "limits.session_bytes", FIELD_INT64, LIMIT(session_bytes), BYTES }, NULL, ONE },
    { { "limits.sessions_bytes", FIELD_INT64, LIMIT(sessions_bytes), BYTES }, NULL, ONE },
    { { "limits.headers", FIELD_INT, LIMIT(request.headers), COUNT(1) }, NULL, ONE },
    { { "limits.params", FIELD_INT, LIMIT(request.params), COUNT(1) }, NULL, ONE },
    { { "limits.cookies", FIELD_INT, LIMIT(request.cookies), COUNT(1) }, NULL, ONE },
    { { "limits.parts", FIELD_INT, LIMIT(request.parts), COUNT(1) }, NULL, ONE },
    { { "limits.in_flight", FIELD_INT, LIMIT(in_flight), COUNT(1) }, NULL, ONE },
    { { "limits.queue", FIELD_INT, LIMIT(queue), COUNT(0) }, NULL, ONE },
    { OTHER("egress.allow"), read_allow, TEXTS },
    { OTHER("egress.deny"), read_deny, TEXTS },
    { OTHER("egress.ports"), read_ports, INTEGERS },
    { OTHER("egress.proxy_ports"), read_proxy_ports, INTEGERS },
    { OTHER("egress.schemes"), read_schemes, TEXTS },
    { { "egress.report_only", FIELD_BOOL, AT(engine.egress.report_only), 0, 0, NULL, 0, 0 },
      NULL, ONE },
};
/* clang-format on */

#define SETTINGS (sizeof settings / sizeof settings[0])

const struct setting *
config_table_get(size_t i)
{
    return i < SETTINGS ? &settings[i] : NULL;
}

const struct setting *
config_table_find(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].field.name, name) == 0)
            return &settings[i];
    return NULL;
}

int
config_table_apply(struct config *c, const struct setting *row, const json_t *value,
                   const struct json_path *at, struct failure *err)
{
    if (row->read != NULL)
        return row->read(c, value, at, err);
    return field_json_read(c, &row->field, value, at, err);
}

const char *
config_table_key(size_t i)
{
    return i < SETTINGS ? settings[i].field.name : NULL;
}

bool
config_table_is_group(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < SETTINGS; i++)
        if (strncmp(settings[i].field.name, name, n) == 0 && settings[i].field.name[n] == '.')
            return true;
    return false;
}

const char *
config_table_variable(char *to, size_t size, const char *key)
{
    snprintf(to, size, CONFIG_TABLE_PREFIX "%s", key);
    for (char *p = to; *p != '\0'; p++)
        *p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
    return to;
}

/* -- where they are --------------------------------------------------------- */

static struct {
    bool known;
    const char *file;
    char *const *environment;
} started;

void
config_table_set_place(const char *file, char *const *environment)
{
    started.known = true;
    started.file = file;
    started.environment = environment;
}

static bool
is_part_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_' || c == '.';
}

/* Does `detail` name the key, and not a longer one? */
static const char *
find_name(const char *detail, const char *key)
{
    size_t n = strlen(key);

    for (const char *at = detail; (at = strstr(at, key)) != NULL; at += n)
        if ((at == detail || !is_part_of_name(at[-1])) &&
            !(is_part_of_name(at[n]) && (at[n] != '.' || is_part_of_name(at[n + 1]))))
            return at;
    return NULL;
}

/* One in a group: "listen" or "threads" may be any word. */
static const char *
find_key(const char *detail)
{
    const char *key, *at, *first = NULL, *found = NULL;

    for (size_t i = 0; (key = config_table_key(i)) != NULL; i++) {
        if (strchr(key, '.') == NULL || (at = find_name(detail, key)) == NULL)
            continue;
        if (first == NULL || at < first) {
            first = at;
            found = key;
        }
    }
    return found;
}

/* An empty variable counts as not set. */
static bool
is_set(const char *variable)
{
    size_t n = strlen(variable);
    char *const *p = started.environment;

    for (; p != NULL && *p != NULL; p++)
        if (strncmp(*p, variable, n) == 0 && (*p)[n] == '=' && (*p)[n + 1] != '\0')
            return true;
    return false;
}

void
config_table_write_place(char *to, size_t size, const char *detail)
{
    const char *key = started.known ? find_key(detail) : NULL;
    char variable[80];

    *to = '\0';
    if (key == NULL)
        return;
    config_table_variable(variable, sizeof variable, key);
    if (started.file == NULL)
        snprintf(to, size, "; %s is the environment variable %s, as there is no configuration file",
                 key, variable);
    else if (is_set(variable))
        snprintf(to, size, "; %s is set by the environment variable %s, which wins over %.200s",
                 key, variable, started.file);
    else
        snprintf(to, size, "; %s is in %.200s", key, started.file);
}
