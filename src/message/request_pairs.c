/* request_pairs.c - the keys that hold names and values: headers, params, and forms for others. */

#include "message/request_pairs.h"

#include "http/url.h"
#include "util/base64.h"

#include <stdlib.h>
#include <string.h>

/* -- pairs of any kind -------------------------------------------------- */

typedef int pair_read(struct request_context *rd, const struct json_path *at, const json_t *name,
                      const json_t *value, void *arg);

static int
each_of_object(struct request_context *rd, const struct json_path *at, const json_t *object,
               pair_read *add, void *arg)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        json_t *text = json_string_nocheck(name);
        int rc = text != NULL ? add(rd, &here, text, value, arg) : failure_no_memory(rd->err);

        json_decref(text);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* An object, or a list of [name, value]; `add` sees each, with the place of its value. */
static int
each_pair(struct request_context *rd, const struct json_path *at, const json_t *value,
          pair_read *add, void *arg)
{
    if (json_is_object(value))
        return each_of_object(rd, at, value, add, arg);
    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected an object or a list of [name, value]");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct json_path here = { at, NULL, i };
        const json_t *pair = json_array_get(value, i), *name = json_array_get(pair, 0);

        if (json_array_size(pair) != 2 || !json_is_string(name))
            return json_path_refuse(&here, rd->err, "expected [name, value]");
        if (add(rd, &here, name, json_array_get(pair, 1), arg) != 0)
            return -1;
    }
    return 0;
}

/* -- values as text ------------------------------------------------------ */

struct walk {
    request_text *add;
    void *arg;
};

/* Text as it is, numbers and booleans as JSON writes them. */
static int
add_scalar(struct request_context *rd, const struct json_path *at, const json_t *name,
           const json_t *value, const struct walk *w)
{
    struct buffer text;
    int rc;

    if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
        return json_path_refuse(at, rd->err,
                                "expected a string, a number, true, false or a list of these");
    buffer_init(&text, SIZE_MAX);
    if (json_is_string(value))
        buffer_add(&text, json_string_value(value), json_string_length(value));
    else
        json_add_value(&text, value);
    rc = buffer_ok(&text) ? w->add(rd, at, name, &text, w->arg) : failure_no_memory(rd->err);
    buffer_free(&text);
    return rc;
}

static int
add_scalars(struct request_context *rd, const struct json_path *at, const json_t *name,
            const json_t *value, void *arg)
{
    if (!json_is_array(value))
        return add_scalar(rd, at, name, value, arg);
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct json_path here = { at, NULL, i };

        if (add_scalar(rd, &here, name, json_array_get(value, i), arg) != 0)
            return -1;
    }
    return 0;
}

int
request_pairs_each(struct request_context *rd, const struct json_path *at, const json_t *value,
                   request_text *add, void *arg)
{
    struct walk w = { add, arg };

    return each_pair(rd, at, value, add_scalars, &w);
}

/* -- headers ------------------------------------------------------------ */

/*
 * Text, or {"base64": …} for bytes that are no UTF-8, which *owned then holds; NULL, where null
 * removes a header.
 */
static int
read_header_value(const char **text, char **owned, const json_t *value, const struct json_path *at,
                  struct failure *err)
{
    const struct json_path bytes = { at, "base64", 0 };
    const json_t *encoded = json_object_get(value, "base64");
    int rc;

    *text = *owned = NULL;
    if (json_is_null(value))
        return 0;
    if (encoded != NULL && json_object_size(value) == 1) {
        rc = field_json_bytes(owned, encoded, &bytes, err);
        *text = *owned;
        return rc;
    }
    if (json_is_string(value))
        return (*text = field_json_string(value, at, err)) != NULL ? 0 : -1;
    return json_path_refuse(at, err,
                            "expected a string, {\"base64\": …}, or null to remove the header");
}

static int
add_header(struct request_context *rd, const struct json_path *at, const json_t *name,
           const json_t *value, void *arg)
{
    const char *name_text = field_json_string(name, at, rd->err), *text;
    const struct json_path *above = arg;
    struct failure inner = { 0 };
    char *owned;
    int rc;

    if (name_text == NULL || read_header_value(&text, &owned, value, at, rd->err) != 0)
        return -1;
    rc = request_add_header(rd->r, name_text, text, &inner);
    free(owned);
    return rc != 0 ? json_path_pass(above, &inner, rd->err) : 0;
}

int
request_pairs_read_headers(struct request_context *rd, const struct json_path *at,
                           const json_t *value)
{
    return each_pair(rd, at, value, add_header, (void *)at->parent);
}

struct part_target {
    struct part *part;
    const struct json_path *at; /* of the part */
};

static int
add_part_header(struct request_context *rd, const struct json_path *at, const json_t *name,
                const json_t *value, void *arg)
{
    const char *name_text = field_json_string(name, at, rd->err), *text;
    const struct part_target *to = arg;
    struct failure inner = { 0 };
    char *owned;
    int rc;

    if (name_text == NULL)
        return -1;
    if (json_is_null(value)) /* libcurl adds none that could be removed */
        return json_path_refuse(at, rd->err, "expected a string or {\"base64\": …}");
    if (read_header_value(&text, &owned, value, at, rd->err) != 0)
        return -1;
    rc = request_add_part_header(rd->r, to->part, name_text, text, &inner);
    free(owned);
    return rc != 0 ? json_path_pass(to->at, &inner, rd->err) : 0;
}

int
request_pairs_read_part_headers(struct request_context *rd, struct part *part,
                                const struct json_path *at, const json_t *value)
{
    struct part_target to = { part, at->parent };

    return each_pair(rd, at, value, add_part_header, &to);
}

/* -- params ------------------------------------------------------------- */

struct param_list {
    struct buffer url;
    size_t count;
};

static int
add_param(struct request_context *rd, const struct json_path *at, const json_t *name,
          const struct buffer *text, void *arg)
{
    struct param_list *list = arg;
    const char *name_text = field_json_string(name, at, rd->err);

    if (name_text == NULL)
        return -1;
    if (strlen(text->data) != text->len)
        return json_path_refuse(at, rd->err, "must not contain NUL");
    if (request_check_count("params", list->count, rd->r->most.params, rd->err) != 0)
        return -1;
    if (list->count++ == 0)
        url_add_param(&list->url, name_text, text->data);
    else
        url_add_next_param(&list->url, name_text, text->data);
    return 0;
}

int
request_pairs_read_params(struct request_context *rd, const struct json_path *at,
                          const json_t *value)
{
    (void)at;
    rd->params = value;
    return 0;
}

/* The query ends where the fragment begins. */
int
request_pairs_apply_params(struct request_context *rd)
{
    static const struct json_path at = { NULL, "params", 0 };
    size_t fragment = strcspn(rd->r->url, "#"), len;
    struct param_list list = { .count = 0 };
    struct buffer *url = &list.url;

    if (rd->params == NULL)
        return 0;
    buffer_init(url, SIZE_MAX);
    buffer_add(url, rd->r->url, fragment);
    if (request_pairs_each(rd, &at, rd->params, add_param, &list) != 0) {
        buffer_free(url);
        return -1;
    }
    buffer_adds(url, rd->r->url + fragment);
    if (!buffer_ok(url)) {
        buffer_free(url);
        return failure_no_memory(rd->err);
    }
    free(rd->r->url);
    rd->r->url = buffer_steal(url, &len);
    return 0;
}
