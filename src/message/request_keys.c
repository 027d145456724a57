/* request_keys.c - JSON to a request: the table of keys, and the keys that stand alone. */

#include "message/request_context.h"
#include "transfer/impersonate.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX 86400 /* seconds */
#define TAG_MAX     4096  /* bytes */

/* -- time-outs ---------------------------------------------------------- */

static int
read_seconds(struct request_context *rd, const struct json_path *at, const json_t *value,
             int64_t *ms)
{
    double s = json_number_value(value);

    if (!json_is_number(value) || !(s > 0) || s > TIMEOUT_MAX)
        return json_path_refuse(at, rd->err, "expected a number of seconds above 0 and at most %d",
                                TIMEOUT_MAX);
    *ms = (int64_t)(s * 1000 + 0.5);
    if (*ms == 0)
        *ms = 1; /* 0 would be no limit */
    return 0;
}

static int
read_timeouts(struct request_context *rd, const struct json_path *at, const json_t *object)
{
    struct request *r = rd->r;
    const struct {
        const char *name;
        int64_t *ms;
        uint32_t bit;
    } keys[] = {
        { "connect", &r->connect_timeout_ms, SET_CONNECT_TIMEOUT },
        { "total", &r->total_timeout_ms, SET_TOTAL_TIMEOUT },
        { "idle", &r->idle_timeout_ms, SET_IDLE_TIMEOUT },
    };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        size_t i = 0;

        while (i < 3 && strcmp(name, keys[i].name) != 0)
            i++;
        if (i == 3)
            return json_path_unknown_key(&here, rd->err);
        if (read_seconds(rd, &here, value, keys[i].ms) != 0)
            return -1;
        r->set |= keys[i].bit;
    }
    return 0;
}

static int
read_timeout(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    if (json_is_object(value))
        return read_timeouts(rd, at, value);
    if (read_seconds(rd, at, value, &rd->r->total_timeout_ms) != 0)
        return -1;
    rd->r->set |= SET_TOTAL_TIMEOUT;
    return 0;
}

/* -- others that stand alone -------------------------------------------- */

static int
read_method(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *text = field_string(value, at, rd->err);
    struct failure inner = { 0 };

    if (text == NULL)
        return -1;
    if (request_set_method(rd->r, text, &inner) != 0)
        return json_path_pass(at->parent, &inner, rd->err);
    return 0;
}

static int
read_impersonate(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *target = field_string(value, at, rd->err);

    if (target == NULL)
        return -1;
    if (!impersonate_is_offered())
        return json_path_unsupported(at, rd->err);
    rd->r->impersonate = strdup(target);
    return rd->r->impersonate != NULL ? 0 : failure_no_memory(rd->err);
}

static int
read_forward_headers(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    struct failure inner = { 0 };
    const json_t *item;
    size_t i;

    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected a list of header names");
    json_array_foreach(value, i, item)
    {
        struct json_path here = { at, NULL, i };
        const char *name = field_string(item, &here, rd->err);

        if (name == NULL)
            return -1;
        if (request_forward_header(rd->r, name, &inner) != 0)
            return json_path_pass(at->parent, &inner, rd->err);
    }
    return 0;
}

/* -- the table ---------------------------------------------------------- */

static const char *const versions[] = { "auto", "1.1", "2", "2-prior-knowledge", "3", NULL };
static const char *const bodies[] = { "auto", "text", "base64", "none", NULL };

#define AT(member) offsetof(struct request, member)
#define BOTH       (KEY_DEFAULT | KEY_QUERY)
#define OTHER(name)                      \
    {                                    \
        name, FIELD_OTHER, 0, 0, 0, NULL \
    }

/* clang-format off */
static const struct request_key keys[] = {
    { { "url", FIELD_TEXT, AT(url), 1, INT64_MAX, NULL }, 0, KEY_QUERY, NULL },
    { OTHER("method"), SET_METHOD, BOTH, read_method },
    { OTHER("params"), 0, 0, request_read_params },
    { OTHER("headers"), 0, KEY_DEFAULT, request_read_headers },
    { OTHER("cookies"), 0, KEY_DEFAULT, request_read_cookies },
    { OTHER("body"), 0, KEY_QUERY, request_read_body },
    { OTHER("body_base64"), 0, KEY_QUERY, request_read_body_base64 },
    { OTHER("json"), 0, 0, request_read_json },
    { OTHER("form"), 0, 0, request_read_form },
    { OTHER("multipart"), 0, 0, request_read_multipart },
    { OTHER("timeout"), 0, BOTH | KEY_SCALAR, read_timeout },
    { { "follow_redirects", FIELD_BOOL, AT(follow_redirects), 0, 0, NULL },
      SET_FOLLOW_REDIRECTS, BOTH, NULL },
    { { "max_redirects", FIELD_INT, AT(max_redirects), 0, 100, NULL },
      SET_MAX_REDIRECTS, BOTH, NULL },
    { { "verify", FIELD_BOOL, AT(verify), 0, 0, NULL }, SET_VERIFY, BOTH, NULL },
    { { "http_version", FIELD_CHOICE, AT(http_version), 0, 0, versions },
      SET_HTTP_VERSION, BOTH, NULL },
    { OTHER("proxy"), SET_PROXY, BOTH, request_read_proxy },
    { OTHER("proxy_auth"), SET_PROXY_AUTH, KEY_DEFAULT, request_read_proxy_auth },
    { OTHER("auth"), SET_AUTH, KEY_DEFAULT, request_read_auth },
    { { "decompress", FIELD_BOOL, AT(decompress), 0, 0, NULL }, SET_DECOMPRESS, BOTH, NULL },
    { { "max_body_bytes", FIELD_INT64, AT(max_body_bytes), 0, FIELD_BYTES_MAX, NULL },
      SET_MAX_BODY_BYTES, BOTH, NULL },
    { OTHER("retries"), 0, BOTH | KEY_SCALAR, request_read_retries },
    { { "session", FIELD_TEXT, AT(session), 1, 64, NULL }, 0, KEY_QUERY, NULL },
    { { "coalesce", FIELD_BOOL, AT(coalesce), 0, 0, NULL }, SET_COALESCE, BOTH, NULL },
    { OTHER("impersonate"), SET_IMPERSONATE, BOTH, read_impersonate },
    { { "response_body", FIELD_CHOICE, AT(response_body), 0, 0, bodies },
      SET_RESPONSE_BODY, BOTH, NULL },
    { { "max_recv_speed", FIELD_INT64, AT(max_recv_speed), 1, FIELD_BYTES_MAX, NULL },
      SET_MAX_RECV_SPEED, BOTH, NULL },
    { OTHER("forward_headers"), 0, KEY_DEFAULT, read_forward_headers },
    { { "tag", FIELD_TEXT, AT(tag), 0, TAG_MAX, NULL }, SET_TAG, BOTH, NULL },
};
/* clang-format on */

const struct request_key *
request_key_find(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].field.name, name) == 0)
            return &keys[i];
    return NULL;
}

size_t
request_key_index(const struct request_key *key)
{
    return (size_t)(key - keys);
}

const char *
request_key_name(size_t i)
{
    return i < sizeof keys / sizeof keys[0] ? keys[i].field.name : NULL;
}

/* -- the object --------------------------------------------------------- */

int
request_key_read(struct request_context *rd, const struct request_key *key,
                 const struct json_path *at, const json_t *value)
{
    int rc = key->read != NULL ? key->read(rd, at, value)
                               : field_read(rd->r, &key->field, value, at, rd->err);

    if (rc == 0)
        rd->r->set |= key->bit;
    return rc;
}

int
request_finish(struct request_context *rd)
{
    static const struct json_path url = { NULL, "url", 0 };

    if (rd->r->url == NULL)
        return json_path_refuse(&url, rd->err, "required");
    return request_apply_params(rd);
}

int
request_from_json(struct request *r, const json_t *object, struct failure *err)
{
    struct request_context rd = { .r = r, .err = err };
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(NULL, err, "a request is a JSON object");
    json_object_foreach((json_t *)object, name, value)
    {
        const struct request_key *key = request_key_find(name);
        struct json_path at = { NULL, name, 0 };

        if (key == NULL)
            return json_path_unknown_key(&at, err);
        if (request_key_read(&rd, key, &at, value) != 0)
            return -1;
    }
    return request_finish(&rd);
}

int
request_from_text(struct request *r, const char *text, size_t size, struct failure *err)
{
    json_t *object = json_parse(text, size, err);
    int rc = object == NULL ? -1 : request_from_json(r, object, err);

    json_decref(object);
    return rc;
}

/* -- a session's defaults ----------------------------------------------- */

int
request_read_default(struct request *r, const struct json_path *at, const json_t *value,
                     struct failure *err)
{
    struct request_context rd = { .r = r, .err = err };
    const struct request_key *key = request_key_find(at->name);

    if (key == NULL)
        return 1;
    if (!(key->allowed & KEY_DEFAULT))
        return json_path_refuse(at, err, "belongs to a single request, not to a session");
    return request_key_read(&rd, key, at, value);
}

int
request_default_from_json(struct request *r, const char *key, const json_t *value,
                          struct failure *err)
{
    struct json_path at = { NULL, key, 0 };

    return request_read_default(r, &at, value, err);
}
