/* request_cookies.c - the cookies a request brings along. */

#include "message/request_cookies.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct cookie, member)

/* Whole seconds since 1970, as clocks give them: 2.5e9 and 1700000000.25 are numbers too. */
static int
read_expires(int64_t *to, const json_t *value, const struct json_path *at, struct failure *err)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds >= 0) || seconds > (double)FIELD_BYTES_MAX)
        return json_path_refuse(at, err, "expected seconds since 1970, 0 for a session cookie");
    *to = (int64_t)seconds;
    return 0;
}

/* A cookie as it is read: where the bytes of name or value are given, they win over the text. */
struct cookie_reader {
    struct cookie cookie;
    char *name_bytes, *value_bytes;
};

static int
read_cookie_key(struct cookie_reader *c, const struct json_path *at, const json_t *value,
                struct failure *err)
{
    static const struct field fields[] = {
        { "name", FIELD_TEXT, AT(name), 0, INT64_MAX, NULL, 0, 0 },
        { "value", FIELD_TEXT, AT(value), 0, INT64_MAX, NULL, 0, 0 },
        { "domain", FIELD_TEXT, AT(domain), 1, INT64_MAX, NULL, 0, 0 },
        { "path", FIELD_PATH, AT(path), 0, 0, NULL, 0, 0 },
        { "host_only", FIELD_BOOL, AT(host_only), 0, 0, NULL, 0, 0 },
        { "secure", FIELD_BOOL, AT(secure), 0, 0, NULL, 0, 0 },
        { "http_only", FIELD_BOOL, AT(http_only), 0, 0, NULL, 0, 0 },
        { "deleted", FIELD_BOOL, AT(deleted), 0, 0, NULL, 0, 0 },
    };

    if (strcmp(at->name, "expires") == 0)
        return read_expires(&c->cookie.expires, value, at, err);
    if (strcmp(at->name, "name_base64") == 0)
        return field_json_bytes(&c->name_bytes, value, at, err);
    if (strcmp(at->name, "value_base64") == 0)
        return field_json_bytes(&c->value_bytes, value, at, err);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(at->name, fields[i].name) == 0)
            return field_json_read(&c->cookie, &fields[i], value, at, err);
    return json_path_unknown_key(at, err);
}

static int
add_cookie(struct request_context *rd, const struct json_path *at, const struct cookie *c)
{
    struct cookie plain = *c;
    struct failure inner = { 0 };

    if (plain.domain != NULL && plain.domain[0] == '.')
        plain.domain++; /* RFC 6265 section 5.2.3 */
    if (request_add_cookie(rd->r, &plain, &inner) != 0)
        return json_path_pass(at->parent, &inner, rd->err);
    return 0;
}

static int
read_cookie_keys(struct request_context *rd, struct cookie_reader *c, const struct json_path *at,
                 const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };

        if (read_cookie_key(c, &here, value, rd->err) != 0)
            return -1;
    }
    return 0;
}

static int
add_read_cookie(struct request_context *rd, const struct json_path *list,
                const struct json_path *at, const struct cookie_reader *c)
{
    struct cookie whole = c->cookie;

    if (c->name_bytes != NULL)
        whole.name = c->name_bytes;
    if (c->value_bytes != NULL)
        whole.value = c->value_bytes;
    if (whole.name == NULL || whole.value == NULL)
        return json_path_refuse(at, rd->err, "name and value are required");
    return add_cookie(rd, list, &whole);
}

static int
read_cookie(struct request_context *rd, const struct json_path *list, size_t i,
            const json_t *object)
{
    struct json_path at = { list, NULL, i };
    struct cookie_reader c = { 0 };
    int rc;

    if (!json_is_object(object))
        return json_path_refuse(&at, rd->err, "expected an object with name and value");
    rc = read_cookie_keys(rd, &c, &at, object);
    if (rc == 0)
        rc = add_read_cookie(rd, list, &at, &c);
    cookies_destroy_one(&c.cookie);
    free(c.name_bytes);
    free(c.value_bytes);
    return rc;
}

static int
read_named_cookies(struct request_context *rd, const struct json_path *at, const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        const char *text = field_json_string(value, &here, rd->err);
        struct cookie c = { .name = (char *)name, .value = (char *)text };

        if (text == NULL || add_cookie(rd, at, &c) != 0)
            return -1;
    }
    return 0;
}

int
request_cookies_read(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    if (json_is_object(value))
        return read_named_cookies(rd, at, value);
    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected an object or a list of cookies");
    for (size_t i = 0; i < json_array_size(value); i++)
        if (read_cookie(rd, at, i, json_array_get(value, i)) != 0)
            return -1;
    return 0;
}
