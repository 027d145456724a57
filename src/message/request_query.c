/* request_query.c - a request from a query string, for trying out. */

#include "message/request_query.h"

#include "message/request_json.h"
#include "util/utf8.h"

#include <string.h>

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
decode(struct buffer *to, const char *text, size_t n, const struct json_path *at,
       struct failure *err)
{
    buffer_clear(to);
    buffer_add(to, "", 0);
    for (size_t i = 0; i < n; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%') {
            int high = i + 2 < n ? hex(text[i + 1]) : -1;
            int low = i + 2 < n ? hex(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return json_path_refuse(at, err, "\"%%\" must be followed by two hex digits");
            c = (char)(high << 4 | low);
            i += 2;
        }
        buffer_addc(to, c);
    }
    return buffer_ok(to) ? 0 : failure_no_memory(err);
}

/* The plain value of a group, timeout or retries, is a number. */
static int
kind_of(enum request_key key)
{
    int kind = request_key_field(key)->kind;

    return kind == REQUEST_GROUP ? FIELD_NUMBER : kind;
}

static int
read_value(struct request_context *rd, enum request_key key, const struct buffer *text)
{
    struct json_path at = { NULL, request_key_field(key)->name, 0 };
    json_t *value;
    int rc;

    if (!utf8_valid(text->data, text->len))
        return json_path_refuse(&at, rd->err, "not valid UTF-8");
    if ((value = field_json_from_text(kind_of(key), text->data, text->len)) == NULL)
        return failure_no_memory(rd->err);
    rc = request_json_read_key(rd, key, &at, value);
    json_decref(value);
    return rc;
}

/* The key of a decoded name, seen for the first time; KEY_COUNT with `err`: it cannot be. */
static enum request_key
find_key(const struct buffer *name, uint64_t *seen, struct failure *err)
{
    struct json_path at = { NULL, name->data, 0 };
    enum request_key key =
        strlen(name->data) == name->len ? request_json_find(name->data) : KEY_COUNT;

    if (key == KEY_COUNT)
        json_path_unknown_key(&at, err);
    else if (!(request_key_field(key)->flags & REQUEST_IN_QUERY))
        json_path_refuse(&at, err, "not allowed in a query string; POST a request object instead");
    else if (*seen >> key & 1)
        json_path_refuse(&at, err, "given twice");
    else {
        *seen |= UINT64_C(1) << key;
        return key;
    }
    return KEY_COUNT;
}

/* One "name=value" of n bytes; `work` holds the decoded name, then the decoded value. */
static int
read_segment(struct request_context *rd, const char *text, size_t n, struct buffer *work,
             uint64_t *seen)
{
    const char *equals = memchr(text, '=', n);
    size_t name_size = equals != NULL ? (size_t)(equals - text) : n;
    size_t skip = name_size + (equals != NULL);
    enum request_key key;
    struct json_path at = { NULL, "query", 0 };

    if (decode(work, text, name_size, &at, rd->err) != 0 ||
        (key = find_key(work, seen, rd->err)) == KEY_COUNT)
        return -1;
    at.name = request_key_field(key)->name;
    if (decode(work, text + skip, n - skip, &at, rd->err) != 0)
        return -1;
    return read_value(rd, key, work);
}

int
request_query_read(struct request *r, const char *query, struct failure *err)
{
    struct request_context rd = { .r = r, .err = err };
    struct buffer work;
    uint64_t seen = 0;
    int rc = 0;

    buffer_init(&work, SIZE_MAX);
    while (query != NULL && *query != '\0' && rc == 0) {
        size_t n = strcspn(query, "&");

        if (n > 0)
            rc = read_segment(&rd, query, n, &work, &seen);
        query += n + (query[n] == '&');
    }
    buffer_free(&work);
    return rc != 0 ? -1 : request_json_finish(&rd);
}
