/* config_schema.c - a JSON Schema of the configuration file, for editors. */

#include "message/config_schema.h"

#include "http/request.h"
#include "message/config_table.h"
#include "message/field_json.h"
#include "session/session_config.h"

#include <string.h>

/* -- keys whose kind does not tell their schema ------------------------------- */

#define TEXTS_OF(more) \
    "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1}" more "}"
#define PORTS \
    "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535}}"
#define PAIR   "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2,\"maxItems\":2}"
#define SIMPLE "[\"string\",\"number\",\"boolean\",\"null\",\"array\"]"

/* Of the settings, of a session, and of a request object as a session's default. */
static const struct {
    const char *name, *schema;
} odd[] = {
    { "listen", "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\",\"minLength\":1},"
                "\"minItems\":1}" },
    { "socket_mode", "{\"type\":\"string\",\"pattern\":\"^0?[0-7]{3}$\"}" },
    { "auth.origins", TEXTS_OF("") },
    { "egress.allow", TEXTS_OF("") },
    { "egress.deny", TEXTS_OF("") },
    { "egress.ports", PORTS },
    { "egress.proxy_ports", PORTS },
    { "egress.schemes",
      "{\"type\":\"array\",\"items\":{\"enum\":[\"http\",\"https\"]},\"minItems\":1}" },
    { "proxies", TEXTS_OF(",\"maxItems\":1000") },
    { "hosts", TEXTS_OF(",\"minItems\":1") },
    { "resolve", "{\"type\":\"object\",\"maxProperties\":1000,\"additionalProperties\":{"
                 "\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,"
                 "\"maxItems\":16}}" },
    { "headers", "{\"type\":[\"object\",\"array\"],\"additionalProperties\":{\"type\":" SIMPLE
                 "},\"items\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":2}}" },
    { "cookies", "{\"type\":[\"object\",\"array\"],\"items\":{\"type\":\"object\"}}" },
    { "ca_pem", "{\"type\":\"string\",\"minLength\":1}" },
    { "proxy_auth", PAIR },
    { "auth", "{\"type\":\"object\",\"properties\":{\"basic\":" PAIR ",\"digest\":" PAIR
              ",\"bearer\":{\"type\":\"string\",\"minLength\":1}},\"additionalProperties\":false,"
              "\"minProperties\":1,\"maxProperties\":1}" },
    { "retries.statuses", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}" },
    { "retries.methods", TEXTS_OF(",\"minItems\":1") },
    { "retries.on", "{\"type\":\"array\",\"items\":{\"enum\":[\"connect\",\"read\",\"status\"]},"
                    "\"minItems\":1}" },
    { "fingerprint.extra", "{\"type\":\"object\"}" },
    { "forward_headers", TEXTS_OF("") },
};

static const char *
find_odd(const char *name)
{
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (strcmp(odd[i].name, name) == 0)
            return odd[i].schema;
    return NULL;
}

bool
config_schema_knows(const char *name)
{
    return find_odd(name) != NULL;
}

/* -- keys of the other kinds --------------------------------------------------- */

static json_t *
words_json(const char *const *words)
{
    json_t *all = json_array();

    for (; *words != NULL; words++)
        json_append(&all, json_string(*words));
    return all;
}

static json_t *
integer_json(const struct field *f)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)f->min, "maximum",
                     (json_int_t)f->max);
}

/* In bytes there, in characters here: so the shortest may be of one. */
static json_t *
text_json(const struct field *f)
{
    json_t *schema = json_pack("{s:s}", "type", "string");

    if (f->min > 0)
        json_put(&schema, "minLength", json_integer(1));
    if (f->max < INT64_MAX)
        json_put(&schema, "maxLength", json_integer(f->max));
    return schema;
}

static json_t *
field_schema(const struct field *f)
{
    const char *known = find_odd(f->name);

    if (known != NULL)
        return json_loads(known, 0, NULL);
    switch (f->kind) {
    case FIELD_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case FIELD_INT:
    case FIELD_INT64:
        return integer_json(f);
    case FIELD_NUMBER:
        return json_pack("{s:s, s:I, s:I}", "type", "number", "exclusiveMinimum",
                         (json_int_t)f->min, "maximum", (json_int_t)f->max);
    case FIELD_MS:
        return json_pack("{s:s, s:I, s:I}", "type", "number",
                         f->min > 0 ? "exclusiveMinimum" : "minimum", (json_int_t)0, "maximum",
                         (json_int_t)(f->max / 1000));
    case FIELD_PATH:
        return json_pack("{s:s, s:s}", "type", "string", "pattern", "^/");
    case FIELD_CHOICE:
    case FIELD_TWO_WAY:
        return json_pack("{s:o}", "enum", words_json(f->words));
    default:
        return text_json(f);
    }
}

/* An object that takes these keys and no others; steals `properties`. */
static json_t *
object_json(json_t *properties)
{
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

/* "limits.in_flight" goes into the properties of "limits", which is made if need be. */
static void
put(json_t **properties, const char *dotted, json_t *schema)
{
    const char *dot = strchr(dotted, '.');
    json_t *group, *inner;
    char name[64];

    if (dot == NULL || *properties == NULL) {
        json_put(properties, dotted, schema);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(dot - dotted), dotted);
    if ((group = json_object_get(*properties, name)) == NULL)
        json_put(properties, name, group = object_json(json_object()));
    inner = json_object_get(group, "properties");
    if (inner == NULL || json_object_set_new(inner, dot + 1, schema) != 0) {
        json_decref(*properties);
        *properties = NULL;
    }
}

/* -- a session -------------------------------------------------------------------- */

/* A group that may also be its most usual key's value alone. */
static void
allow_plain(json_t **properties, const char *name, const struct field *plain)
{
    json_t *group = json_incref(json_object_get(*properties, name));

    json_put(properties, name, json_pack("{s:[o, o]}", "anyOf", group, field_schema(plain)));
}

static json_t *
session_schema(void)
{
    json_t *all = json_object();
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (f->kind != SESSION_GROUP)
            put(&all, f->name, field_schema(f));
    for (enum request_key key = 0; key < KEY_COUNT; key++) {
        f = request_key_field(key);
        if ((f->flags & REQUEST_IN_SESSION) && f->kind != REQUEST_GROUP)
            put(&all, f->name, field_schema(f));
    }
    json_object_set_new(json_object_get(all, "retries"), "required", json_pack("[s]", "max"));
    allow_plain(&all, "timeout", request_key_field(KEY_TOTAL_TIMEOUT));
    allow_plain(&all, "retries", request_key_field(KEY_RETRIES));
    all = object_json(all);
    json_put(&all, "dependentRequired", json_pack("{s:[s]}", "client_key", "client_cert"));
    return all;
}

/* -- the file -------------------------------------------------------------------- */

/* What the daemon goes by where the key is not given, where that can be told. */
static void
put_default(json_t *schema, const struct config *initial, const struct field *f)
{
    bool is_text = f->kind == FIELD_TEXT || f->kind == FIELD_PATH;
    bool is_none = (f->min > 0 || (f->flags & FIELD_UNSET)) && field_is_zero(initial, f);

    if (f->kind < FIELD_OTHER && !is_text && !is_none)
        json_object_set_new(schema, "default", field_json_value(initial, f));
}

static json_t *
setting_schema(const struct setting *row, const struct config *initial)
{
    json_t *schema = field_schema(&row->field);
    char variable[80], text[160];

    config_table_variable(variable, sizeof variable, row->field.name);
    snprintf(text, sizeof text, "In the environment: %s. See curlewd.json(5).", variable);
    json_put(&schema, "description", json_string(text));
    if (strcmp(row->field.name, "responders") == 0)
        json_put(&schema, "deprecated", json_true());
    put_default(schema, initial, &row->field);
    return schema;
}

static json_t *
file_schema(const struct config *initial)
{
    json_t *all = json_object();
    const struct setting *row;

    json_put(&all, "$schema", json_pack("{s:s}", "type", "string"));
    for (size_t i = 0; (row = config_table_get(i)) != NULL; i++)
        put(&all, row->field.name, setting_schema(row, initial));
    json_put(&all, "sessions",
             json_pack("{s:s, s:{s:o}, s:b}", "type", "object", "patternProperties",
                       "^[A-Za-z0-9._-]{1,64}$", session_schema(), "additionalProperties", 0));
    all = object_json(all);
    json_put(&all, "not", json_pack("{s:[s, s]}", "required", "workers", "responders"));
    json_put(&all, "title", json_string("The configuration of curlewd"));
    json_put(&all, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    return all;
}

static int
add_text(const char *text, size_t n, void *out)
{
    buffer_add(out, text, n);
    return 0;
}

int
config_schema_write(struct buffer *out)
{
    struct config initial;
    json_t *all;
    int rc;

    config_init(&initial);
    all = file_schema(&initial);
    rc = all != NULL ? json_dump_callback(all, add_text, out, JSON_INDENT(1)) : -1;
    json_decref(all);
    config_destroy(&initial);
    return rc == 0 && buffer_ok(out) ? 0 : -1;
}
