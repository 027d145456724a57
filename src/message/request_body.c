/* request_body.c - the five forms of a request's body, of which at most one is given. */

#include "message/request_body.h"

#include "http/url.h"
#include "message/request_pairs.h"
#include "util/base64.h"

#include <stdlib.h>
#include <string.h>

static int
claim(struct request_context *rd, const struct json_path *at)
{
    if (rd->body_form != NULL)
        return json_path_refuse(at, rd->err, "a request has one body, and \"%s\" is already given",
                                rd->body_form);
    rd->body_form = at->name;
    return 0;
}

/* The buffer's bytes become the body; an empty body is a body too. */
static int
keep(struct request_context *rd, struct buffer *body, const char *type)
{
    buffer_add(body, "", 0); /* the NUL after the last byte, also of none */
    if (!buffer_ok(body)) {
        buffer_free(body);
        return failure_no_memory(rd->err);
    }
    rd->r->body = body->data;
    rd->r->body_size = body->len;
    rd->r->body_type = type;
    return 0;
}

/* -- the body that follows ------------------------------------------------ */

int
request_body_read_follows(struct request_context *rd, const struct json_path *at,
                          const json_t *value)
{
    if (claim(rd, at) != 0)
        return -1;
    if (!json_is_true(value) && (!json_is_integer(value) || json_integer_value(value) < 0))
        return json_path_refuse(at, rd->err, "expected true, or the number of bytes");
    rd->r->body_follows = true;
    rd->r->upload_length = json_is_true(value) ? -1 : (int64_t)json_integer_value(value);
    rd->r->body_type = "application/octet-stream";
    return 0;
}

/* -- text, bytes, JSON -------------------------------------------------- */

int
request_body_read_text(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    struct buffer body;

    if (claim(rd, at) != 0)
        return -1;
    if (!json_is_string(value))
        return json_path_refuse(at, rd->err, "expected a string");
    buffer_init(&body, SIZE_MAX);
    buffer_add(&body, json_string_value(value), json_string_length(value));
    return keep(rd, &body, "text/plain; charset=utf-8");
}

/* Appends what the base64 text stands for. */
static int
add_base64(struct request_context *rd, const struct json_path *at, const json_t *value,
           struct buffer *to)
{
    if (!json_is_string(value))
        return json_path_refuse(at, rd->err, "expected a base64 string");
    if (base64_decode(to, json_string_value(value), json_string_length(value)) == 0)
        return 0;
    if (!buffer_ok(to))
        return failure_no_memory(rd->err);
    return json_path_refuse(at, rd->err, "not base64 (RFC 4648 section 4, with padding)");
}

int
request_body_read_base64(struct request_context *rd, const struct json_path *at,
                         const json_t *value)
{
    struct buffer body;

    if (claim(rd, at) != 0)
        return -1;
    buffer_init(&body, SIZE_MAX);
    if (add_base64(rd, at, value, &body) != 0) {
        buffer_free(&body);
        return -1;
    }
    return keep(rd, &body, "application/octet-stream");
}

int
request_body_read_json(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    struct buffer body;

    if (claim(rd, at) != 0)
        return -1;
    buffer_init(&body, SIZE_MAX);
    json_add_value(&body, value);
    return keep(rd, &body, "application/json");
}

/* -- form --------------------------------------------------------------- */

/* application/x-www-form-urlencoded: as in a URL, but + for a space. */
static void
add_encoded(struct buffer *body, const char *text, size_t n)
{
    for (;;) {
        const char *space = memchr(text, ' ', n);
        size_t run = space != NULL ? (size_t)(space - text) : n;

        url_encode(body, text, run);
        if (space == NULL)
            return;
        buffer_addc(body, '+');
        text += run + 1;
        n -= run + 1;
    }
}

static int
add_field(struct request_context *rd, const struct json_path *at, const json_t *name,
          const struct buffer *text, void *arg)
{
    struct buffer *body = arg;

    (void)rd;
    (void)at;
    if (body->len > 0)
        buffer_addc(body, '&');
    add_encoded(body, json_string_value(name), json_string_length(name));
    buffer_addc(body, '=');
    add_encoded(body, text->data, text->len);
    return 0;
}

int
request_body_read_form(struct request_context *rd, const struct json_path *at, const json_t *value)
{
    struct buffer body;

    if (claim(rd, at) != 0)
        return -1;
    buffer_init(&body, SIZE_MAX);
    if (request_pairs_each(rd, at, value, add_field, &body) != 0) {
        buffer_free(&body);
        return -1;
    }
    return keep(rd, &body, "application/x-www-form-urlencoded");
}

/* -- multipart ---------------------------------------------------------- */

/* One part being read: `data` keeps its bytes until request_add_part() has copied them. */
struct part_reader {
    struct part part;
    struct buffer data;
    bool filled;
};

static int
read_part_value(struct request_context *rd, struct part_reader *p, const struct json_path *at,
                const json_t *value)
{
    bool text = strcmp(at->name, "value") == 0;

    if (p->filled)
        return json_path_refuse(at, rd->err, "a part has a value or a value_base64, not both");
    p->filled = true;
    if (!text)
        return add_base64(rd, at, value, &p->data);
    if (!json_is_string(value))
        return json_path_refuse(at, rd->err, "expected a string");
    buffer_add(&p->data, json_string_value(value), json_string_length(value));
    return buffer_ok(&p->data) ? 0 : failure_no_memory(rd->err);
}

static int
read_part_key(struct request_context *rd, struct part_reader *p, const struct json_path *at,
              const json_t *value)
{
    char **text = strcmp(at->name, "name") == 0           ? &p->part.name
                  : strcmp(at->name, "filename") == 0     ? &p->part.filename
                  : strcmp(at->name, "content_type") == 0 ? &p->part.content_type
                                                          : NULL;

    if (strcmp(at->name, "value") == 0 || strcmp(at->name, "value_base64") == 0)
        return read_part_value(rd, p, at, value);
    if (strcmp(at->name, "headers") == 0)
        return request_pairs_read_part_headers(rd, &p->part, at, value);
    if (text == NULL)
        return json_path_unknown_key(at, rd->err);
    if (field_json_text(text, value, at, rd->err) != 0)
        return -1;
    if (strpbrk(*text, "\r\n") != NULL)
        return json_path_refuse(at, rd->err, "must not contain CR or LF");
    return 0;
}

static int
read_part_keys(struct request_context *rd, struct part_reader *p, const struct json_path *at,
               const json_t *object)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, rd->err, "expected an object with name and value");
    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };

        if (read_part_key(rd, p, &here, value) != 0)
            return -1;
    }
    if (p->part.name == NULL || !p->filled)
        return json_path_refuse(at, rd->err, "name and value (or value_base64) are required");
    p->part.data = p->data.data != NULL ? p->data.data : (char *)"";
    p->part.size = p->data.len;
    return request_add_part(rd->r, &p->part, rd->err);
}

int
request_body_read_multipart(struct request_context *rd, const struct json_path *at,
                            const json_t *value)
{
    int rc = 0;

    if (claim(rd, at) != 0)
        return -1;
    if (json_array_size(value) == 0)
        return json_path_refuse(at, rd->err, "expected a list of at least one part");
    for (size_t i = 0; i < json_array_size(value) && rc == 0; i++) {
        struct json_path here = { at, NULL, i };
        struct part_reader p = { 0 };

        buffer_init(&p.data, SIZE_MAX);
        rc = read_part_keys(rd, &p, &here, json_array_get(value, i));
        buffer_free(&p.data);
        free(p.part.name);
        free(p.part.filename);
        free(p.part.content_type);
        headers_destroy(&p.part.headers);
    }
    return rc;
}
