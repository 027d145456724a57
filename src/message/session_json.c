/* session_json.c - named sessions as JSON, for …/v1/sessions. */

#include "message/session_json.h"

#include "http/url.h"
#include "message/field_json.h"
#include "message/request_fingerprint.h"
#include "util/base64.h"
#include "util/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET SESSION_JSON_SECRET

/* -- lists ----------------------------------------------------------------- */

/* An object of name to value; where a name is repeated, a list of [name, value] instead. */
static json_t *
headers_json(const struct headers *p)
{
    json_t *pairs = json_array(), *object = json_object();
    size_t n;

    for (size_t i = 0; i < p->count; i++) {
        const struct header *h = &p->items[i];
        json_t *value = h->value != NULL ? json_string(SECRET) : json_null();

        json_append(&pairs, json_pack("[s, O]", h->name, value));
        json_put(&object, h->name, value);
    }
    n = json_object_size(object);
    if (n != p->count && object != NULL) { /* a name is repeated */
        json_decref(object);
        return pairs;
    }
    json_decref(pairs);
    return object;
}

static json_t *
names_json(const struct headers *p)
{
    json_t *names = json_array();

    for (size_t i = 0; i < p->count; i++)
        json_append(&names, json_string(p->items[i].name));
    return names;
}

static bool
is_plain(const struct cookie *c)
{
    return c->domain == NULL && c->path == NULL && !c->secure && !c->http_only && c->expires == 0 &&
           !c->host_only && *c->name != '\0' && utf8_valid(c->name, strlen(c->name));
}

static json_t *
base64_json(const char *text)
{
    struct buffer encoded;
    json_t *value;

    buffer_init(&encoded, SIZE_MAX / 2);
    base64_encode(&encoded, text, strlen(text));
    value = buffer_ok(&encoded) ? json_stringn(encoded.data, encoded.len) : NULL;
    buffer_free(&encoded);
    return value;
}

/* The name is `name`, or `name_base64` where it is no UTF-8. */
static json_t *
cookie_json(const struct cookie *c)
{
    json_t *o = json_pack("{s:s}", "value", SECRET);

    if (utf8_valid(c->name, strlen(c->name)))
        json_put(&o, "name", json_string(c->name));
    else
        json_put(&o, "name_base64", base64_json(c->name));
    if (c->host_only)
        json_put(&o, "host_only", json_true());

    if (c->domain != NULL)
        json_put(&o, "domain", json_string(c->domain));
    if (c->path != NULL)
        json_put(&o, "path", json_string(c->path));
    if (c->secure)
        json_put(&o, "secure", json_true());
    if (c->http_only)
        json_put(&o, "http_only", json_true());
    if (c->expires != 0)
        json_put(&o, "expires", json_integer(c->expires));
    return o;
}

/* An object of name to value; a list of objects where a cookie has attributes or is repeated. */
static json_t *
cookies_json(const struct cookies *c)
{
    json_t *list = json_array(), *object = json_object();
    bool plain = true;

    for (size_t i = 0; i < c->count; i++) {
        plain = plain && is_plain(&c->items[i]);
        json_append(&list, cookie_json(&c->items[i]));
        if (plain)
            json_put(&object, c->items[i].name, json_string(SECRET));
    }
    plain = plain && (object == NULL || json_object_size(object) == c->count);
    json_decref(plain ? list : object);
    return plain ? object : list;
}

static json_t *
statuses_json(const struct retry_policy *r)
{
    json_t *all = json_array();

    for (int status = RETRY_POLICY_STATUS_MIN; status <= RETRY_POLICY_STATUS_MAX; status++)
        if (retry_policy_has_status(r, status))
            json_append(&all, json_integer(status));
    return all;
}

static json_t *
methods_json(const struct retry_policy *r)
{
    const char *at = r->methods != NULL ? r->methods : "";
    json_t *all = json_array();
    size_t n;

    for (at += strspn(at, " "); (n = strcspn(at, " ")) > 0; at += n, at += strspn(at, " "))
        json_append(&all, json_stringn(at, n));
    return all;
}

static json_t *
failures_json(const struct retry_policy *r)
{
    json_t *all = json_array();
    const char *word;

    for (size_t i = 0; (word = retry_policy_word(i)) != NULL; i++)
        if ((r->on >> i & 1) != 0)
            json_append(&all, json_string(word));
    return all;
}

/* Its hash: who has seen the bundle knows it, and a list of sessions stays short. */
static json_t *
ca_json(const struct ca_bundle *ca)
{
    return ca != NULL ? json_sprintf(CA_STORE_PREFIX "%s", ca->hash) : json_null();
}

/* -- proxies ---------------------------------------------------------------- */

char *
session_json_mask_proxy(const char *proxy)
{
    const struct url_piece secret = url_proxy_userinfo(proxy);
    char *masked;

    if (secret.bytes == NULL)
        return strdup(proxy);
    return asprintf(&masked, "%.*s" SECRET "%s", (int)(secret.bytes - proxy), proxy,
                    secret.bytes + secret.n) < 0
               ? NULL
               : masked;
}

static json_t *
proxy_json(const char *proxy)
{
    char *masked = session_json_mask_proxy(proxy);
    json_t *value = masked != NULL ? json_string(masked) : NULL;

    free(masked);
    return value;
}

static json_t *
proxies_json(const struct session_config *s)
{
    json_t *all = json_array();

    for (size_t i = 0; i < s->proxy_count; i++)
        json_append(&all, proxy_json(s->proxies[i]));
    return all;
}

static json_t *
hosts_json(const struct session_config *s)
{
    json_t *all = json_array();

    for (size_t i = 0; i < s->host_count; i++)
        json_array_append_new(all, json_string(s->hosts[i]));
    return all;
}

/* "host:port:address,…" as its key and its value. */
static json_t *
resolve_json(const struct session_config *s)
{
    json_t *all = json_object();

    for (size_t i = 0; i < s->resolve_count; i++) {
        const char *entry = s->resolve[i], *at = strchr(strchr(entry, ':') + 1, ':');
        char *key = strndup(entry, (size_t)(at - entry));
        json_t *addresses = json_array();

        do {
            size_t bracket = *++at == '[', n = strcspn(at, ",");

            json_append(&addresses, json_stringn(at + bracket, n - 2 * bracket));
            at += n;
        } while (*at == ',');
        if (key != NULL) {
            json_put(&all, key, addresses);
        } else {
            json_decref(addresses);
            json_decref(all);
            all = NULL;
        }
        free(key);
    }
    return all;
}

/* -- one session -------------------------------------------------------------- */

/* "timeout.connect" goes into the object "timeout". */
static void
set_dotted(json_t **o, const char *name, json_t *value)
{
    const char *dot = strchr(name, '.');
    char group[32];
    json_t *inner;

    if (dot == NULL) {
        json_put(o, name, value);
        return;
    }
    snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
    inner = json_incref(json_object_get(*o, group));
    if (inner == NULL)
        inner = json_object();
    json_put(&inner, dot + 1, value);
    json_put(o, group, inner);
}

/* A new reference; NULL: no memory, or a kind that isn't shown by itself. */
static json_t *
key_json(const struct request *r, enum request_key key)
{
    const struct field *f = request_key_field(key);
    const void *member = (const char *)r + f->at;

    switch (f->kind) {
    case REQUEST_HEADERS:
        return f->flags & FIELD_SECRET ? headers_json(member) : names_json(member);
    case REQUEST_COOKIES:
        return cookies_json(member);
    case REQUEST_CREDENTIALS:
    case REQUEST_AUTH:
        return json_string(SECRET);
    case REQUEST_STATUSES:
        return statuses_json(&r->retries);
    case REQUEST_METHODS:
        return methods_json(&r->retries);
    case REQUEST_FAILURES:
        return failures_json(&r->retries);
    case REQUEST_CA:
        return ca_json(r->ca);
    case REQUEST_EXTRA:
        return request_fingerprint_extra_json(r->extra);
    case REQUEST_NONE:
    case REQUEST_GROUP:
        return NULL;
    default:
        return key == KEY_PROXY && r->proxy != NULL ? proxy_json(r->proxy) : field_json_value(r, f);
    }
}

bool
session_json_can_write(enum request_key key)
{
    struct request r;
    json_t *value;

    request_init(&r);
    value = key_json(&r, key);
    request_destroy(&r);
    json_decref(value);
    return value != NULL;
}

static bool
is_given(const struct request *r, enum request_key key)
{
    const struct field *f = request_key_field(key);
    const void *member = (const char *)r + f->at;

    if (f->kind == REQUEST_HEADERS)
        return ((const struct headers *)member)->count > 0;
    if (f->kind == REQUEST_COOKIES)
        return ((const struct cookies *)member)->count > 0;
    return request_key_is_tracked(key) && (r->set >> key & 1) != 0;
}

static void
add_defaults(json_t **o, const struct request *r)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if ((request_key_field(key)->flags & REQUEST_IN_SESSION) && is_given(r, key))
            set_dotted(o, request_key_field(key)->name, key_json(r, key));
}

json_t *
session_json_field(const struct session_config *s, const struct field *f)
{
    switch (f->kind) {
    case SESSION_PROXIES:
        return proxies_json(s);
    case SESSION_HOSTS:
        return hosts_json(s);
    case SESSION_RESOLVE:
        return resolve_json(s);
    default:
        return f->flags & FIELD_SECRET ? json_string(SECRET) : field_json_value(s, f);
    }
}

static void
add_field(json_t **o, const struct session_config *s, const struct field *f)
{
    bool set = f->kind == SESSION_PROXIES   ? s->proxy_count > 0
               : f->kind == SESSION_HOSTS   ? s->host_count > 0
               : f->kind == SESSION_RESOLVE ? s->resolve_count > 0
               : f->flags & FIELD_UNSET     ? !field_is_zero(s, f)
               : strcmp(f->name, "burst") == 0
                   ? s->rate_limit.rate > 0 /* means nothing without rate_per_origin */
                   : f->kind != SESSION_GROUP;

    if (set)
        set_dotted(o, f->name, session_json_field(s, f));
}

static json_t *
session_json(const struct session *s)
{
    json_t *o = json_object();
    const struct field *f;

    json_put(&o, "name", json_string(s->settings.name));
    json_put(&o, "at_run_time", json_boolean(s->at_run_time));
    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        add_field(&o, &s->settings, f);
    add_defaults(&o, &s->settings.defaults);
    json_put(&o, "in_flight", json_integer(counter_read(&s->state->in_flight)));
    return o;
}

static int
write_and_free(struct buffer *out, json_t *o)
{
    if (o == NULL)
        return -1;
    json_add_value(out, o);
    json_decref(o);
    return buffer_ok(out) ? 0 : -1;
}

int
session_json_write(struct buffer *out, const struct session *s)
{
    return write_and_free(out, session_json(s));
}

int
session_json_write_all(struct buffer *out, struct session *const *sessions, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_append(&list, session_json(sessions[i]));
    return write_and_free(out, json_pack("{s:o}", "sessions", list));
}
