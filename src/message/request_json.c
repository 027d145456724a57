/* request_json.c - JSON to a request: which function reads a key, and the keys that stand alone. */

#include "message/request_json.h"

#include "message/request_auth.h"
#include "message/request_body.h"
#include "message/request_cookies.h"
#include "message/request_fingerprint.h"
#include "message/request_pairs.h"
#include "transfer/impersonate.h"

#include <stdio.h>
#include <string.h>

#define STATUSES_MAX (RETRY_POLICY_STATUS_MAX - RETRY_POLICY_STATUS_MIN + 1)

/* -- keys that stand alone ------------------------------------------------ */

static int
read_method(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *text = field_json_string(value, at, rd->err);
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
    const char *name = field_json_string(value, at, rd->err);
    struct failure inner = { 0 };

    if (name == NULL)
        return -1;
    if (impersonate_check(name, &inner) != 0)
        return json_path_pass(at->parent, &inner, rd->err);
    return field_json_text(&rd->r->impersonate, value, at, rd->err);
}

static int
read_ca_pem(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const char *text = field_json_string(value, at, rd->err);
    struct failure inner = { 0 };
    struct ca_bundle *ca;

    if (text == NULL)
        return -1;
    if ((ca = ca_store_get(text, json_string_length(value), &inner)) == NULL)
        return inner.error == ERROR_BAD_REQUEST ? json_path_refuse(at, rd->err, "%s", inner.detail)
                                                : json_path_pass(at->parent, &inner, rd->err);
    ca_store_unref(rd->r->ca);
    rd->r->ca = ca;
    return 0;
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
        const char *name = field_json_string(item, &here, rd->err);

        if (name == NULL)
            return -1;
        if (request_forward_header(rd->r, name, &inner) != 0)
            return json_path_pass(at->parent, &inner, rd->err);
    }
    return 0;
}

/* -- groups: timeout and retries ------------------------------------------ */

/* The key `name` of the group at->name; KEY_COUNT: none. */
static enum request_key
find_in_group(const struct json_path *at, const char *name)
{
    char dotted[64];
    int n = snprintf(dotted, sizeof dotted, "%s.%s", at->name, name);

    return n > 0 && (size_t)n < sizeof dotted ? request_key_find(dotted) : KEY_COUNT;
}

static int
read_group(struct request_context *rd, const struct json_path *at, const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        enum request_key key = find_in_group(at, name);
        struct json_path here = { at, name, 0 };

        if (key == KEY_COUNT)
            return json_path_unknown_key(&here, rd->err);
        if (request_json_read_key(rd, key, &here, value) != 0)
            return -1;
    }
    return 0;
}

static int
read_fingerprint(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    return json_is_object(value) ? read_group(rd, at, value)
                                 : json_path_refuse(at, rd->err, "expected an object");
}

static int
read_timeout(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    if (json_is_object(value))
        return read_group(rd, at, value);
    return request_json_read_key(rd, KEY_TOTAL_TIMEOUT, at, value);
}

static int
read_retries(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const struct field *max = request_key_field(KEY_RETRIES);
    int64_t n = json_integer_value(value);

    if (json_is_object(value)) {
        struct json_path here = { at, "max", 0 };

        if (read_group(rd, at, value) != 0)
            return -1;
        /* The details alone would ask for no retry. */
        return json_object_get(value, "max") != NULL ? 0
                                                     : json_path_refuse(&here, rd->err, "required");
    }
    if (!json_is_integer(value) || n < max->min || n > max->max)
        return json_path_refuse(at, rd->err, "expected an integer from %lld to %lld, or an object",
                                (long long)max->min, (long long)max->max);
    return request_json_read_key(rd, KEY_RETRIES, at, value);
}

static int
read_statuses(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    static const struct field status = { .kind = FIELD_INT,
                                         .min = RETRY_POLICY_STATUS_MIN,
                                         .max = RETRY_POLICY_STATUS_MAX };
    const json_t *item;
    size_t i;

    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected a list of statuses");
    if (json_array_size(value) > STATUSES_MAX)
        return json_path_refuse(at, rd->err, "over %d, which is every status there is",
                                STATUSES_MAX);
    retry_policy_clear_statuses(&rd->r->retries);
    json_array_foreach(value, i, item)
    {
        struct json_path here = { at, NULL, i };
        int n;

        if (field_json_read(&n, &status, item, &here, rd->err) != 0)
            return -1;
        retry_policy_add_status(&rd->r->retries, n);
    }
    return 0;
}

static int
read_retry_methods(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    struct failure inner = { 0 };
    const json_t *item;
    size_t i;

    if (json_array_size(value) == 0) /* to retry none, say 0 retries */
        return json_path_refuse(at, rd->err, "expected a list of at least one method");
    retry_policy_clear_methods(&rd->r->retries);
    json_array_foreach(value, i, item)
    {
        struct json_path here = { at, NULL, i };
        const char *name = field_json_string(item, &here, rd->err);

        if (name == NULL)
            return -1;
        if (request_add_retry_method(rd->r, name, &inner) != 0)
            return json_path_pass(at->parent->parent, &inner, rd->err);
    }
    return 0;
}

/* The bit of its word; 0: there is no such word. */
static unsigned
find_failure(const json_t *value)
{
    const char *text = json_string_value(value), *word;

    for (size_t i = 0; text != NULL && (word = retry_policy_word(i)) != NULL; i++)
        if (strcmp(word, text) == 0)
            return 1u << i;
    return 0;
}

static int
read_retry_on(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    const json_t *item;
    size_t i;

    if (json_array_size(value) == 0) /* to retry none, say 0 retries */
        return json_path_refuse(at, rd->err, "expected a list of connect, read and status");
    rd->r->retries.on = 0;
    json_array_foreach(value, i, item)
    {
        struct json_path here = { at, NULL, i };
        unsigned bit = find_failure(item);

        if (bit == 0)
            return json_path_refuse(&here, rd->err, "expected one of connect, read, status");
        rd->r->retries.on |= bit;
    }
    return 0;
}

/* -- any key -------------------------------------------------------------- */

/* Of keys that their row's kind alone doesn't tell how to read. */
static request_read *const readers[KEY_COUNT] = {
    [KEY_METHOD] = read_method,
    [KEY_PARAMS] = request_pairs_read_params,
    [KEY_HEADERS] = request_pairs_read_headers,
    [KEY_COOKIES] = request_cookies_read,
    [KEY_BODY] = request_body_read_text,
    [KEY_BODY_BASE64] = request_body_read_base64,
    [KEY_JSON] = request_body_read_json,
    [KEY_FORM] = request_body_read_form,
    [KEY_MULTIPART] = request_body_read_multipart,
    [KEY_BODY_FOLLOWS] = request_body_read_follows,
    [KEY_TIMEOUTS] = read_timeout,
    [KEY_CA_PEM] = read_ca_pem,
    [KEY_PROXY] = request_auth_read_proxy,
    [KEY_PROXY_AUTH] = request_auth_read_proxy_auth,
    [KEY_AUTH] = request_auth_read,
    [KEY_RETRY] = read_retries,
    [KEY_RETRY_STATUSES] = read_statuses,
    [KEY_RETRY_METHODS] = read_retry_methods,
    [KEY_RETRY_ON] = read_retry_on,
    [KEY_IMPERSONATE] = read_impersonate,
    [KEY_FINGERPRINT] = read_fingerprint,
    [KEY_JA3] = request_fingerprint_read_ja3,
    [KEY_AKAMAI] = request_fingerprint_read_akamai,
    [KEY_PERK] = request_fingerprint_read_perk,
    [KEY_EXTRA] = request_fingerprint_read_extra,
    [KEY_FORWARD_HEADERS] = read_forward_headers,
};

bool
request_json_can_read(enum request_key key)
{
    return readers[key] != NULL || request_key_field(key)->kind < FIELD_OTHER;
}

int
request_json_read_key(struct request_context *rd, enum request_key key, const struct json_path *at,
                      const json_t *value)
{
    int rc = readers[key] != NULL
                 ? readers[key](rd, at, value)
                 : field_json_read(rd->r, request_key_field(key), value, at, rd->err);

    if (rc == 0 && request_key_is_tracked(key))
        rd->r->set |= UINT64_C(1) << key;
    return rc;
}

enum request_key
request_json_find(const char *name)
{
    return strchr(name, '.') == NULL ? request_key_find(name) : KEY_COUNT;
}

/* -- the object ----------------------------------------------------------- */

int
request_json_finish(struct request_context *rd)
{
    static const struct json_path url = { NULL, "url", 0 };

    if (rd->r->url == NULL)
        return json_path_refuse(&url, rd->err, "required");
    return request_pairs_apply_params(rd);
}

int
request_json_read(struct request *r, const json_t *object, struct failure *err)
{
    struct request_context rd = { .r = r, .err = err };
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(NULL, err, "a request is a JSON object");
    json_object_foreach((json_t *)object, name, value)
    {
        enum request_key key = request_json_find(name);
        struct json_path at = { NULL, name, 0 };

        if (key == KEY_COUNT)
            return json_path_unknown_key(&at, err);
        if (request_json_read_key(&rd, key, &at, value) != 0)
            return -1;
    }
    return request_json_finish(&rd);
}

int
request_json_parse(struct request *r, const char *text, size_t size, struct failure *err)
{
    json_t *object = json_parse(text, size, err);
    int rc = object == NULL ? -1 : request_json_read(r, object, err);

    json_memory_release(object);
    return rc;
}

int
request_json_read_default(struct request *r, const struct json_path *at, const json_t *value,
                          struct failure *err)
{
    struct request_context rd = { .r = r, .err = err };
    enum request_key key = request_json_find(at->name);

    if (key == KEY_COUNT)
        return 1;
    if (!(request_key_field(key)->flags & REQUEST_IN_SESSION))
        return json_path_refuse(at, err, "belongs to a single request, not to a session");
    return request_json_read_key(&rd, key, at, value);
}
