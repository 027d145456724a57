/* request_query.c - a request from a query string, for trying out. */

#include "message/request_context.h"
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

static int
read_value(struct request_context *rd, const struct request_key *key, const struct buffer *text)
{
    struct json_path at = { NULL, key->field.name, 0 };
    enum field_kind kind = key->field.kind;
    json_t *value;
    int rc;

    if (!utf8_valid(text->data, text->len))
        return json_path_refuse(&at, rd->err, "not valid UTF-8");
    if (key->allowed & KEY_SCALAR)
        kind = FIELD_BOOL;
    if ((value = field_from_text(kind, text->data, text->len)) == NULL)
        return failure_no_memory(rd->err);
    rc = request_key_read(rd, key, &at, value);
    json_decref(value);
    return rc;
}

/* The key of a decoded name, seen for the first time. */
static const struct request_key *
find_key(const struct buffer *name, uint64_t *seen, struct failure *err)
{
    struct json_path at = { NULL, name->data, 0 };
    const struct request_key *key = request_key_find(name->data);
    uint64_t bit = key != NULL ? UINT64_C(1) << request_key_index(key) : 0;

    if (key == NULL || strlen(name->data) != name->len)
        json_path_unknown_key(&at, err);
    else if (!(key->allowed & KEY_QUERY))
        json_path_refuse(&at, err, "no plain value; POST a request object instead");
    else if (*seen & bit)
        json_path_refuse(&at, err, "given twice");
    else {
        *seen |= bit;
        return key;
    }
    return NULL;
}

/* One "name=value" of n bytes; `work` holds the decoded name, then the decoded value. */
static int
read_segment(struct request_context *rd, const char *text, size_t n, struct buffer *work,
             uint64_t *seen)
{
    const char *equals = memchr(text, '=', n);
    size_t name_size = equals != NULL ? (size_t)(equals - text) : n;
    size_t skip = name_size + (equals != NULL);
    const struct request_key *key;
    struct json_path at = { NULL, "query", 0 };

    if (decode(work, text, name_size, &at, rd->err) != 0 ||
        (key = find_key(work, seen, rd->err)) == NULL)
        return -1;
    at.name = key->field.name;
    if (decode(work, text + skip, n - skip, &at, rd->err) != 0)
        return -1;
    return read_value(rd, key, work);
}

int
request_from_query(struct request *r, const char *query, struct failure *err)
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
    return rc != 0 ? -1 : request_finish(&rd);
}
