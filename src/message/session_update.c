/* session_update.c - the body of PUT …/v1/sessions/NAME. */

#include "message/session_update.h"

#include "message/config_session.h"
#include "message/field_json.h"
#include "message/session_json.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct update {
    struct session_config *s;
    const struct session_config *old; /* NULL: the session is new */
    json_t *object;                   /* what is kept is taken out of it before it is read */
    uint64_t kept_keys;               /* bits by enum request_key */
    uint64_t kept_fields;             /* bits by index of session_config_field() */
    struct failure *err;
};

static bool
is_masked(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), SESSION_JSON_SECRET) == 0;
}

static int
refuse_masked(struct update *u, const char *key, const char *name)
{
    return failure_set(u->err, ERROR_BAD_REQUEST,
                       "%s%s%.80s: \"***\" keeps the stored value, and none is stored", key,
                       name != NULL ? "." : "", name != NULL ? name : "");
}

/* -- before the object is read --------------------------------------------------- */

static int
check_type(struct update *u, const char *key, bool right, const char *expected)
{
    if (!right)
        return failure_set(u->err, ERROR_BAD_REQUEST, "%s: expected %s", key, expected);
    json_object_del(u->object, key);
    return 0;
}

/* What GET shows of a session that is no key of it. */
static int
drop_facts(struct update *u, const char *name)
{
    const json_t *own_name = json_object_get(u->object, "name");
    const json_t *at_run_time = json_object_get(u->object, "at_run_time");
    const json_t *in_flight = json_object_get(u->object, "in_flight");

    if (own_name != NULL &&
        check_type(u, "name",
                   json_is_string(own_name) && strcmp(json_string_value(own_name), name) == 0,
                   "the name that stands in the URL") != 0)
        return -1;
    if (at_run_time != NULL &&
        check_type(u, "at_run_time", json_is_boolean(at_run_time), "true or false") != 0)
        return -1;
    if (in_flight != NULL &&
        check_type(u, "in_flight", json_is_integer(in_flight), "an integer") != 0)
        return -1;
    return 0;
}

/* A caller must not have the daemon read files, or use an operator's certificate elsewhere. */
static int
keep_file(struct update *u, size_t i, const struct field *f)
{
    const json_t *value = json_object_get(u->object, f->name);
    json_t *stored;
    bool same;

    if (value == NULL)
        return 0;
    stored = u->old != NULL ? field_json_value(u->old, f) : NULL;
    same = json_is_string(stored) &&
           (f->flags & FIELD_SECRET ? is_masked(value) : json_equal(value, stored));
    json_decref(stored);
    if (!same)
        return failure_set(u->err, ERROR_BAD_REQUEST, "%s: only the configuration may name files",
                           f->name);
    u->kept_fields |= UINT64_C(1) << i;
    json_object_del(u->object, f->name);
    return 0;
}

/* Secrets that are shown as a whole: auth and proxy_auth. */
static int
keep_key(struct update *u, enum request_key key)
{
    const struct field *f = request_key_field(key);

    if (f->kind != REQUEST_AUTH && f->kind != REQUEST_CREDENTIALS)
        return 0;
    if (!is_masked(json_object_get(u->object, f->name)))
        return 0;
    if (u->old == NULL || (u->old->defaults.set >> key & 1) == 0)
        return refuse_masked(u, f->name, NULL);
    u->kept_keys |= UINT64_C(1) << key;
    json_object_del(u->object, f->name);
    return 0;
}

static int
take_out(struct update *u, const char *name)
{
    const struct field *f;

    if (!json_is_object(u->object))
        return 0; /* for its reader to refuse */
    if (drop_facts(u, name) != 0)
        return -1;
    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (f->kind == FIELD_PATH && keep_file(u, i, f) != 0)
            return -1;
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (keep_key(u, key) != 0)
            return -1;
    return 0;
}

/* -- after it was read: headers and cookies --------------------------------------- */

/* The value of the n-th header of this name, from 0; NULL: none. */
static const char *
nth_header(const struct headers *p, const char *name, size_t n)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcasecmp(p->items[i].name, name) == 0 && n-- == 0)
            return p->items[i].value;
    return NULL;
}

/* How many before the i-th have its name. */
static size_t
header_rank(const struct headers *p, size_t i)
{
    size_t n = 0;

    for (size_t k = 0; k < i; k++)
        n += strcasecmp(p->items[k].name, p->items[i].name) == 0;
    return n;
}

static int
restore_headers(struct update *u)
{
    struct headers *p = &u->s->defaults.headers, all = { 0 };
    int rc = 0;

    for (size_t i = 0; i < p->count && rc == 0; i++) {
        const char *name = p->items[i].name, *value = p->items[i].value;

        if (value != NULL && strcmp(value, SESSION_JSON_SECRET) == 0) {
            value = u->old != NULL ? nth_header(&u->old->defaults.headers, name, header_rank(p, i))
                                   : NULL;
            if (value == NULL)
                rc = refuse_masked(u, "headers", name);
        }
        if (rc == 0 &&
            headers_add(&all, name, strlen(name), value, value != NULL ? strlen(value) : 0) != 0)
            rc = failure_no_memory(u->err);
    }
    headers_destroy(p);
    *p = all;
    return rc;
}

static const struct cookie *
nth_cookie(const struct cookies *list, const struct cookie *like, size_t n)
{
    for (size_t i = 0; i < list->count; i++)
        if (cookies_same(&list->items[i], like) && n-- == 0)
            return &list->items[i];
    return NULL;
}

static size_t
cookie_rank(const struct cookies *list, size_t i)
{
    size_t n = 0;

    for (size_t k = 0; k < i; k++)
        n += cookies_same(&list->items[k], &list->items[i]);
    return n;
}

static int
restore_cookie(struct update *u, size_t i, size_t rank)
{
    struct cookie *c = &u->s->defaults.cookies.items[i];
    const struct cookie *stored =
        u->old != NULL ? nth_cookie(&u->old->defaults.cookies, c, rank) : NULL;

    if (strcmp(c->value, SESSION_JSON_SECRET) != 0)
        return 0;
    if (stored == NULL)
        return refuse_masked(u, "cookies", c->name);
    return text_replace(&c->value, stored->value) != 0 ? failure_no_memory(u->err) : 0;
}

static int
restore_cookies(struct update *u)
{
    const struct cookies *list = &u->s->defaults.cookies;

    for (size_t i = 0; i < list->count; i++)
        if (restore_cookie(u, i, cookie_rank(list, i)) != 0)
            return -1;
    return 0;
}

/* -- after it was read: proxies ---------------------------------------------------- */

/* The n-th of the stored proxies that is shown as `shown`; NULL: none. */
static const char *
nth_proxy(char *const *stored, size_t count, const char *shown, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        char *masked = session_json_mask_proxy(stored[i]);
        bool same = masked != NULL && strcmp(masked, shown) == 0;

        free(masked);
        if (same && n-- == 0)
            return stored[i];
    }
    return NULL;
}

static int
restore_proxy(struct update *u, const char *key, char **proxy, const char *stored)
{
    if (strstr(*proxy, "://" SESSION_JSON_SECRET "@") == NULL)
        return 0;
    if (stored == NULL)
        return refuse_masked(u, key, NULL);
    return text_replace(proxy, stored) != 0 ? failure_no_memory(u->err) : 0;
}

static int
restore_proxies(struct update *u)
{
    const struct session_config *old = u->old;
    struct request *r = &u->s->defaults;
    size_t own = old != NULL && old->defaults.proxy != NULL;

    if (r->proxy != NULL &&
        restore_proxy(u, "proxy", &r->proxy,
                      nth_proxy(own ? &old->defaults.proxy : NULL, own, r->proxy, 0)) != 0)
        return -1;
    /* From the last on: those before are still as they were given, and so can be counted. */
    for (size_t i = u->s->proxy_count; i-- > 0;) {
        size_t rank = 0;

        for (size_t k = 0; k < i; k++)
            rank += strcmp(u->s->proxies[k], u->s->proxies[i]) == 0;
        if (restore_proxy(u, "proxies", &u->s->proxies[i],
                          old != NULL
                              ? nth_proxy(old->proxies, old->proxy_count, u->s->proxies[i], rank)
                              : NULL) != 0)
            return -1;
    }
    return 0;
}

/* -- the whole ----------------------------------------------------------------------- */

static int
put_back(struct update *u)
{
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if ((u->kept_fields >> i & 1) != 0 && field_copy(u->s, u->old, f) != 0)
            return failure_no_memory(u->err);
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if ((u->kept_keys >> key & 1) != 0 &&
            request_key_copy(&u->s->defaults, &u->old->defaults, key) != 0)
            return failure_no_memory(u->err);
    if (restore_headers(u) != 0 || restore_cookies(u) != 0)
        return -1;
    return restore_proxies(u);
}

int
session_update_read(struct session_config *s, const char *name, const char *text, size_t size,
                    const struct session_config *old, struct failure *err)
{
    struct update u = { .s = s, .old = old, .err = err };
    int rc = -1;

    if (size == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty; expected a session object");
    if ((u.object = json_parse(text, size, err)) == NULL)
        return -1;
    if (take_out(&u, name) == 0 && config_session_read(s, name, u.object, err) == 0)
        rc = put_back(&u);
    json_decref(u.object);
    return rc;
}
