/* request_retries.c - JSON to a request: `retries`, a count or how to retry in detail. */

#include "message/request_context.h"

#include <string.h>

#define RETRY_POLICY_MAX 100
#define BACKOFF_MAX      3600 /* seconds */

#define AT(member) offsetof(struct request, retries.member)

static int
read_backoff(int64_t *ms, const struct json_path *at, const json_t *value, struct failure *err)
{
    double s = json_number_value(value);

    if (!json_is_number(value) || !(s >= 0) || s > BACKOFF_MAX)
        return json_path_refuse(at, err, "expected a number of seconds from 0 to %d", BACKOFF_MAX);
    *ms = (int64_t)(s * 1000 + 0.5);
    return 0;
}

static int
read_first_backoff(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    return read_backoff(&rd->r->retries.backoff_ms, at, value, rd->err);
}

static int
read_max_backoff(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    return read_backoff(&rd->r->retries.max_backoff_ms, at, value, rd->err);
}

static int
read_statuses(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    static const struct field status = {
        "", FIELD_INT, 0, RETRY_POLICY_STATUS_MIN, RETRY_POLICY_STATUS_MAX, NULL
    };
    const json_t *item;
    size_t i;

    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected a list of statuses");
    retry_policy_clear_statuses(&rd->r->retries);
    json_array_foreach(value, i, item)
    {
        struct json_path here = { at, NULL, i };
        int n;

        if (field_read(&n, &status, item, &here, rd->err) != 0)
            return -1;
        retry_policy_add_status(&rd->r->retries, n);
    }
    return 0;
}

static int
read_methods(struct request_context *rd, const struct json_path *at, const json_t *value)
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
        const char *name = field_string(item, &here, rd->err);

        if (name == NULL)
            return -1;
        if (request_add_retry_method(rd->r, name, &inner) != 0)
            return json_path_pass(at->parent->parent, &inner, rd->err);
    }
    return 0;
}

/* clang-format off */
static const struct request_key keys[] = {
    { { "max", FIELD_INT, AT(max), 0, RETRY_POLICY_MAX, NULL }, SET_RETRIES, 0, NULL },
    { { "backoff", FIELD_OTHER, 0, 0, 0, NULL }, SET_BACKOFF, 0, read_first_backoff },
    { { "max_backoff", FIELD_OTHER, 0, 0, 0, NULL }, SET_MAX_BACKOFF, 0, read_max_backoff },
    { { "statuses", FIELD_OTHER, 0, 0, 0, NULL }, SET_RETRY_STATUSES, 0, read_statuses },
    { { "methods", FIELD_OTHER, 0, 0, 0, NULL }, SET_RETRY_METHODS, 0, read_methods },
    { { "respect_retry_after", FIELD_BOOL, AT(respect_retry_after), 0, 0, NULL },
      SET_RETRY_AFTER, 0, NULL },
};
/* clang-format on */

static const struct request_key *
find(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].field.name, name) == 0)
            return &keys[i];
    return NULL;
}

static int
read_detail(struct request_context *rd, const struct json_path *at, const json_t *object)
{
    struct json_path max = { at, "max", 0 };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        const struct request_key *key = find(name);
        struct json_path here = { at, name, 0 };

        if (key == NULL)
            return json_path_unknown_key(&here, rd->err);
        if (request_key_read(rd, key, &here, value) != 0)
            return -1;
    }
    /* Details alone would ask for nothing. */
    return json_object_get(object, "max") == NULL ? json_path_refuse(&max, rd->err, "required") : 0;
}

int
request_read_retries(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    int64_t n = json_integer_value(value);

    if (json_is_object(value))
        return read_detail(rd, at, value);
    if (!json_is_integer(value) || n < 0 || n > RETRY_POLICY_MAX)
        return json_path_refuse(at, rd->err, "expected an integer from 0 to %d, or an object",
                                RETRY_POLICY_MAX);
    rd->r->retries.max = (int)n;
    rd->r->set |= SET_RETRIES;
    return 0;
}
