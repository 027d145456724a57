/* request_fingerprint.c - what a ClientHello and the frames are to look like. */

#include "message/request_fingerprint.h"

#include "fingerprint/akamai.h"
#include "fingerprint/ja3.h"
#include "fingerprint/perk.h"
#include "message/json.h"
#include "transfer/fingerprint.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 16 /* signature algorithms: what libcurl-impersonate takes */

/* -- texts -------------------------------------------------------------------- */

typedef int check_text(const char *text, struct failure *err);

static int
check_ja3(const char *text, struct failure *err)
{
    struct ja3 j;

    if (strlen(text) > JA3_BYTES_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d bytes", JA3_BYTES_MAX);
    if (ja3_parse(&j, text, err) != 0)
        return -1;
    ja3_destroy(&j);
    return 0;
}

static int
check_akamai(const char *text, struct failure *err)
{
    struct akamai a;

    return akamai_parse(&a, text, err);
}

static int
check_perk(const char *text, struct failure *err)
{
    struct perk p;

    return perk_parse(&p, text, err);
}

/* 501 has the key's whole name in its detail. */
static int
check_library(struct request_context *rd, enum request_key key, const struct json_path *at)
{
    struct failure inner = { 0 };

    return fingerprint_check(rd->r, key, &inner) == 0
               ? 0
               : json_path_pass(at->parent->parent, &inner, rd->err);
}

static int
refuse(const struct json_path *at, const struct failure *inner, struct failure *err)
{
    return inner->error == ERROR_BAD_REQUEST ? json_path_refuse(at, err, "%s", inner->detail)
                                             : json_path_pass(at, inner, err);
}

static int
read_text(struct request_context *rd, const struct json_path *at, const json_t *value,
          enum request_key key, check_text *check)
{
    struct failure inner = { 0 };

    if (field_json_read(rd->r, request_key_field(key), value, at, rd->err) != 0)
        return -1;
    if (check(json_string_value(value), &inner) != 0)
        return refuse(at, &inner, rd->err);
    return check_library(rd, key, at);
}

int
request_fingerprint_read_ja3(struct request_context *rd, const struct json_path *at,
                             const json_t *value)
{
    return read_text(rd, at, value, KEY_JA3, check_ja3);
}

int
request_fingerprint_read_akamai(struct request_context *rd, const struct json_path *at,
                                const json_t *value)
{
    return read_text(rd, at, value, KEY_AKAMAI, check_akamai);
}

int
request_fingerprint_read_perk(struct request_context *rd, const struct json_path *at,
                              const json_t *value)
{
    return read_text(rd, at, value, KEY_PERK, check_perk);
}

/* -- extra ---------------------------------------------------------------------- */

static int
read_list(char **to, const json_t *value, const struct json_path *at, struct failure *err)
{
    struct buffer all;
    int rc = 0;

    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > LIST_MAX)
        return json_path_refuse(at, err, "expected a list of 1 to %d names", LIST_MAX);
    buffer_init(&all, SIZE_MAX / 2);
    for (size_t i = 0; i < json_array_size(value) && rc == 0; i++) {
        struct json_path here = { at, NULL, i };
        const char *text = field_json_string(json_array_get(value, i), &here, err);

        rc = text == NULL ? -1
             : strchr(text, ',') != NULL || *text == '\0'
                 ? json_path_refuse(&here, err, "expected a name")
                 : 0;
        buffer_adds(&all, i > 0 ? "," : "");
        buffer_adds(&all, rc == 0 ? text : "");
    }
    if (rc == 0 && (!buffer_ok(&all) || text_replace(to, all.data) != 0))
        rc = failure_no_memory(err);
    buffer_free(&all);
    return rc;
}

static int
read_extra_key(struct extra_fingerprint *e, const struct json_path *at, const json_t *value,
               struct failure *err)
{
    enum extra_fingerprint_key key = extra_fingerprint_find(at->name);
    const struct field *f;
    struct failure inner = { 0 };

    if (key == EXTRA_COUNT)
        return json_path_unknown_key(at, err);
    f = extra_fingerprint_field(key);
    if ((f->kind == EXTRA_FINGERPRINT_LIST ? read_list((char **)((char *)e + f->at), value, at, err)
                                           : field_json_read(e, f, value, at, err)) != 0)
        return -1;
    if (extra_fingerprint_check(e, key, &inner) != 0)
        return refuse(at, &inner, err);
    e->set |= UINT32_C(1) << key;
    return 0;
}

int
request_fingerprint_read_extra(struct request_context *rd, const struct json_path *at,
                               const json_t *value)
{
    struct extra_fingerprint *e;
    const char *name;
    json_t *item;

    if (!json_is_object(value))
        return json_path_refuse(at, rd->err, "expected an object");
    if ((e = extra_fingerprint_new()) == NULL)
        return failure_no_memory(rd->err);
    extra_fingerprint_free(rd->r->extra);
    rd->r->extra = e;
    json_object_foreach((json_t *)value, name, item)
    {
        struct json_path here = { at, name, 0 };

        if (read_extra_key(e, &here, item, rd->err) != 0)
            return -1;
    }
    return check_library(rd, KEY_EXTRA, at);
}

/* -- and back --------------------------------------------------------------------- */

static json_t *
list_json(const char *text)
{
    json_t *all = json_array();

    for (size_t n; *text != '\0'; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        json_append(&all, json_stringn(text, n));
    }
    return all;
}

json_t *
request_fingerprint_extra_json(const struct extra_fingerprint *e)
{
    json_t *o = json_object();

    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++) {
        const struct field *f = extra_fingerprint_field(key);

        if (extra_fingerprint_has(e, key))
            json_put(&o, f->name,
                     f->kind == EXTRA_FINGERPRINT_LIST
                         ? list_json(*(char *const *)((const char *)e + f->at))
                         : field_json_value(e, f));
    }
    return o;
}
