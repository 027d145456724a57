/* session_update.c - the body of PUT …/v1/sessions/NAME. */

#include "message/session_update.h"

#include "egress/egress_config.h"
#include "http/url.h"
#include "message/config_session.h"
#include "message/field_json.h"
#include "message/session_json.h"
#include "session/session_ceiling.h"
#include "util/match.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct update {
    struct session_config *s;
    const struct session_config *old; /* NULL: the session is new */
    json_t *object;                   /* what is kept is taken out of it before it is read */
    uint64_t kept_keys;               /* bits by enum request_key */
    uint64_t kept_fields;             /* bits by index of session_config_field() */
    bool gives_hosts, keeps_proxy_auth;
    struct failure *err;
};

static bool
is_mask(const char *text)
{
    return text != NULL && strcmp(text, SESSION_JSON_SECRET) == 0;
}

static bool
is_masked(const json_t *value)
{
    return is_mask(json_string_value(value));
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

static bool
is_stored(const struct session_config *s, const struct field *f)
{
    return f->kind == SESSION_RESOLVE ? s->resolve_count > 0 : !field_is_zero(s, f);
}

/*
 * A caller must not have the daemon read files, use an operator's certificate elsewhere, or choose
 * its networks.
 */
static int
keep_configured(struct update *u, size_t i, const struct field *f)
{
    const json_t *value = json_object_get(u->object, f->name);
    json_t *stored;
    bool same;

    if (value == NULL)
        return 0;
    stored = u->old != NULL && is_stored(u->old, f) ? session_json_field(u->old, f) : NULL;
    same = stored != NULL && json_equal(value, stored);
    json_decref(stored);
    if (!same)
        return failure_set(u->err, ERROR_BAD_REQUEST, "%s: only the configuration may %s", f->name,
                           f->kind == FIELD_PATH ? "name files" : "set it");
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
    u->keeps_proxy_auth |= key == KEY_PROXY_AUTH;
    json_object_del(u->object, f->name);
    return 0;
}

/* As GET shows them: they stay, also where others may no longer name them by their hash. */
static int
keep_ca(struct update *u)
{
    const char *name = request_key_field(KEY_CA_PEM)->name;
    const char *text = json_string_value(json_object_get(u->object, name));
    const struct ca_bundle *stored = u->old != NULL ? u->old->defaults.ca : NULL;
    size_t prefix = strlen(CA_STORE_PREFIX);

    if (stored == NULL || text == NULL || strncmp(text, CA_STORE_PREFIX, prefix) != 0 ||
        strcmp(text + prefix, stored->hash) != 0)
        return 0;
    u->kept_keys |= UINT64_C(1) << KEY_CA_PEM;
    return json_object_del(u->object, name);
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
        if ((f->flags & SESSION_CONFIGURED) != 0 && keep_configured(u, i, f) != 0)
            return -1;
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (keep_key(u, key) != 0)
            return -1;
    return keep_ca(u);
}

/* -- after it was read: headers and cookies --------------------------------------- */

/*
 * For each of the new items, where the one stands that it may keep: the n-th of those that are
 * shown alike.  NULL: no memory.
 */
static size_t *
match_stored(struct update *u, const struct match_list *now, const struct match_list *stored,
             match_compare *compare)
{
    size_t *found = malloc((now->count + 1) * sizeof found[0]);

    if (found != NULL && match_nth(found, now, stored, compare) == 0)
        return found;
    free(found);
    failure_no_memory(u->err);
    return NULL;
}

static int
compare_headers(const void *a, const void *b)
{
    return strcasecmp(((const struct header *)a)->name, ((const struct header *)b)->name);
}

/* A copy of p with the stored value where it says so. */
static int
copy_header(struct update *u, struct headers *to, const struct header *p, size_t stored)
{
    const char *value = p->value;

    if (is_mask(value)) {
        value = stored != MATCH_NONE ? u->old->defaults.headers.items[stored].value : NULL;
        if (value == NULL)
            return refuse_masked(u, "headers", p->name);
    }
    if (headers_add(to, p->name, strlen(p->name), value, value != NULL ? strlen(value) : 0) != 0)
        return failure_no_memory(u->err);
    return 0;
}

static int
restore_headers(struct update *u)
{
    static const struct headers none;
    const struct headers *stored = u->old != NULL ? &u->old->defaults.headers : &none;
    struct headers *p = &u->s->defaults.headers, all = { 0 };
    const struct match_list now = { p->items, p->count, sizeof p->items[0] };
    const struct match_list old = { stored->items, stored->count, sizeof p->items[0] };
    size_t *found = match_stored(u, &now, &old, compare_headers);
    int rc = found != NULL ? 0 : -1;

    for (size_t i = 0; i < p->count && rc == 0; i++)
        rc = copy_header(u, &all, &p->items[i], found[i]);
    free(found);
    headers_destroy(p);
    *p = all;
    return rc;
}

static int
restore_cookie(struct update *u, struct cookie *c, size_t stored)
{
    if (!is_mask(c->value))
        return 0;
    if (stored == MATCH_NONE)
        return refuse_masked(u, "cookies", c->name);
    return text_replace(&c->value, u->old->defaults.cookies.items[stored].value) != 0
               ? failure_no_memory(u->err)
               : 0;
}

static int
restore_cookies(struct update *u)
{
    static const struct cookies none;
    const struct cookies *stored = u->old != NULL ? &u->old->defaults.cookies : &none;
    struct cookies *list = &u->s->defaults.cookies;
    const struct match_list now = { list->items, list->count, sizeof list->items[0] };
    const struct match_list old = { stored->items, stored->count, sizeof list->items[0] };
    size_t *found = match_stored(u, &now, &old, cookies_compare);
    int rc = found != NULL ? 0 : -1;

    for (size_t i = 0; i < list->count && rc == 0; i++)
        rc = restore_cookie(u, &list->items[i], found[i]);
    free(found);
    return rc;
}

/* -- after it was read: proxies ---------------------------------------------------- */

/* Do user and password end so? */
static bool
ends_userinfo(const char *proxy, const char *end)
{
    const struct url_piece userinfo = url_proxy_userinfo(proxy);
    size_t n = strlen(end);

    return userinfo.n >= n && memcmp(userinfo.bytes + userinfo.n - n, end, n) == 0;
}

/* Are they the mask? */
static bool
is_masked_proxy(const char *proxy)
{
    return url_proxy_userinfo(proxy).n == strlen(SESSION_JSON_SECRET) &&
           ends_userinfo(proxy, SESSION_JSON_SECRET);
}

static int
restore_proxy(struct update *u, const char *key, char **proxy, const char *stored)
{
    if (!is_masked_proxy(*proxy))
        return 0;
    if (stored == NULL)
        return refuse_masked(u, key, NULL);
    return text_replace(proxy, stored) != 0 ? failure_no_memory(u->err) : 0;
}

/* The session's one proxy. */
static int
restore_own_proxy(struct update *u)
{
    struct request *r = &u->s->defaults;
    const char *stored = u->old != NULL ? u->old->defaults.proxy : NULL;
    char *shown = stored != NULL ? session_json_mask_proxy(stored) : NULL;
    int rc = 0;

    if (r->proxy != NULL)
        rc = restore_proxy(u, "proxy", &r->proxy,
                           shown != NULL && strcmp(shown, r->proxy) == 0 ? stored : NULL);
    free(shown);
    return rc;
}

static int
compare_proxies(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* As they are shown; on no memory count stays short. */
static void
mask_proxies(char **shown, size_t *count, const struct session_config *s)
{
    for (size_t i = 0; i < s->proxy_count; i++, (*count)++)
        if ((shown[i] = session_json_mask_proxy(s->proxies[i])) == NULL)
            return;
}

static int
restore_listed(struct update *u, char **shown, size_t shown_count)
{
    struct session_config *s = u->s;
    const struct match_list now = { s->proxies, s->proxy_count, sizeof s->proxies[0] };
    const struct match_list old = { shown, shown_count, sizeof shown[0] };
    size_t *found = match_stored(u, &now, &old, compare_proxies);
    int rc = found != NULL ? 0 : -1;

    for (size_t i = 0; i < s->proxy_count && rc == 0; i++)
        rc = restore_proxy(u, "proxies", &s->proxies[i],
                           found[i] != MATCH_NONE ? u->old->proxies[found[i]] : NULL);
    free(found);
    return rc;
}

static int
restore_proxies(struct update *u)
{
    size_t stored = u->old != NULL ? u->old->proxy_count : 0, count = 0;
    char **shown = calloc(stored + 1, sizeof shown[0]);
    int rc = -1;

    if (shown != NULL && stored > 0)
        mask_proxies(shown, &count, u->old);
    if (shown == NULL || count < stored)
        failure_no_memory(u->err);
    else if (restore_own_proxy(u) == 0)
        rc = restore_listed(u, shown, count);
    for (size_t i = 0; i < count; i++)
        free(shown[i]);
    free(shown);
    return rc;
}

/* -- after it was read: one secret within a value ------------------------------------ */

/* *secret, if it is "***", becomes the stored one; NULL: none is stored. */
static int
restore_secret(struct update *u, const char *key, char **secret, const char *stored)
{
    if (!is_mask(*secret))
        return 0;
    if (stored == NULL)
        return refuse_masked(u, key, NULL);
    return text_replace(secret, stored) != 0 ? failure_no_memory(u->err) : 0;
}

/* Of the same user only: {"basic": ["user", "***"]}. */
static int
restore_password(struct update *u, const char *key, struct credentials *pair,
                 const struct credentials *stored)
{
    bool same = stored != NULL && text_equal(pair->user, stored->user);

    return restore_secret(u, key, &pair->password, same ? stored->password : NULL);
}

static int
restore_credentials(struct update *u)
{
    struct request *r = &u->s->defaults;
    const struct request *old = u->old != NULL ? &u->old->defaults : NULL;
    bool same = old != NULL && old->auth == r->auth;

    u->keeps_proxy_auth |= is_mask(r->proxy_auth.password);
    if (restore_password(u, "proxy_auth", &r->proxy_auth, old != NULL ? &old->proxy_auth : NULL) !=
            0 ||
        restore_password(u, "auth", &r->auth_pair, same ? &old->auth_pair : NULL) != 0)
        return -1;
    return restore_secret(u, "auth", &r->auth_token, same ? old->auth_token : NULL);
}

static int
check_proxy(struct update *u, const char *key, const char *proxy)
{
    if (proxy == NULL || !ends_userinfo(proxy, ":" SESSION_JSON_SECRET))
        return 0;
    return failure_set(u->err, ERROR_BAD_REQUEST,
                       "%s: \"***\" stands for user and password together, as in http://***@host",
                       key);
}

static int
check_proxies(struct update *u)
{
    if (check_proxy(u, "proxy", u->s->defaults.proxy) != 0)
        return -1;
    for (size_t i = 0; i < u->s->proxy_count; i++)
        if (check_proxy(u, "proxies", u->s->proxies[i]) != 0)
            return -1;
    return 0;
}

/* Has every proxy of it been one of the old session's, which the operator has named? */
static bool
has_old_proxies_only(const struct update *u)
{
    const struct session_config *s = u->s, *old = u->old;
    bool only =
        old != NULL && (s->defaults.proxy == NULL || session_lets_resolve(old, s->defaults.proxy));

    for (size_t i = 0; i < s->proxy_count && only; i++)
        only = session_lets_resolve(old, s->proxies[i]);
    return only;
}

/* Each host is one of the old session's. */
static bool
has_old_hosts_only(const struct update *u)
{
    for (size_t i = 0; i < u->s->host_count; i++) {
        size_t k = 0;

        while (k < u->old->host_count && strcmp(u->s->hosts[i], u->old->hosts[k]) != 0)
            k++;
        if (k == u->old->host_count)
            return false;
    }
    return true;
}

/* "***" keeps secrets that the sender doesn't know: they stay where the operator let them go. */
static int
limit_hosts(struct update *u)
{
    struct session_config *s = u->s;

    if (u->old == NULL || u->old->host_count == 0)
        return 0;
    if (!has_old_hosts_only(u))
        return failure_set(u->err, ERROR_FORBIDDEN,
                           "hosts: with this token only those that the session has");
    for (size_t i = 0; s->host_count < u->old->host_count && !u->gives_hosts; i++)
        if (egress_config_add(&s->hosts, &s->host_count, u->old->hosts[i]) != 0)
            return failure_no_memory(u->err);
    return 0;
}

static bool
is_old_proxy(const struct session_config *old, const char *proxy)
{
    bool found = text_equal(old->defaults.proxy, proxy);

    for (size_t i = 0; i < old->proxy_count && !found; i++)
        found = strcmp(old->proxies[i], proxy) == 0;
    return found;
}

/* Nor do a proxy's credentials go to another one. */
static int
limit_proxy_auth(struct update *u)
{
    const struct session_config *s = u->s;
    bool all_old = s->defaults.proxy == NULL || is_old_proxy(u->old, s->defaults.proxy);

    for (size_t i = 0; i < s->proxy_count && all_old; i++)
        all_old = is_old_proxy(u->old, s->proxies[i]);
    return all_old ? 0
                   : failure_set(u->err, ERROR_FORBIDDEN,
                                 "proxy_auth: with this token \"***\" keeps it for the session's "
                                 "own proxies only");
}

/* Nor does it leave the operator's network: what it does not say stays. */
static int
limit_network(struct update *u)
{
    const struct field *f;

    for (size_t i = 0; u->old != NULL && (f = session_config_field(i)) != NULL; i++)
        if ((f->flags & SESSION_CONFIGURED) != 0 && f->kind != FIELD_PATH &&
            (u->kept_fields >> i & 1) == 0 && session_config_copy_field(u->s, u->old, f) != 0)
            return failure_no_memory(u->err);
    return 0;
}

static int
limit(struct update *u)
{
    if (u->s->proxy_resolves && (u->old == NULL || !u->old->proxy_resolves))
        return failure_set(u->err, ERROR_FORBIDDEN,
                           "proxy_resolves: only the configuration, or a caller whose token is for "
                           "all sessions, may set it");
    if (u->keeps_proxy_auth && limit_proxy_auth(u) != 0)
        return -1;
    u->s->proxies_by_limited = !has_old_proxies_only(u);
    return limit_hosts(u) != 0 ? -1 : limit_network(u);
}

/* -- the whole ----------------------------------------------------------------------- */

static int
put_back(struct update *u)
{
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if ((u->kept_fields >> i & 1) != 0 && session_config_copy_field(u->s, u->old, f) != 0)
            return failure_no_memory(u->err);
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if ((u->kept_keys >> key & 1) != 0 &&
            request_key_copy(&u->s->defaults, &u->old->defaults, key) != 0)
            return failure_no_memory(u->err);
    if (restore_headers(u) != 0 || restore_cookies(u) != 0)
        return -1;
    if (restore_credentials(u) != 0 || check_proxies(u) != 0)
        return -1;
    return restore_proxies(u);
}

/* Of a token that is limited to certain sessions. */
static int
apply_ceiling(struct update *u)
{
    const struct field *f;
    uint64_t given = 0;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++) {
        char key[32];

        snprintf(key, sizeof key, "%.*s", (int)strcspn(f->name, "."), f->name);
        if (json_object_get(u->object, key) != NULL)
            given |= UINT64_C(1) << i;
    }
    return session_ceiling_apply(u->s, u->old, given, u->err);
}

int
session_update_read(struct session_config *s, const char *name, const char *text, size_t size,
                    const struct session_config *old, bool limited, struct failure *err)
{
    struct update u = { .s = s, .old = old, .err = err };
    int rc = -1;

    if (size == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty; expected a session object");
    if ((u.object = json_parse(text, size, err)) == NULL)
        return -1;
    u.gives_hosts = json_object_get(u.object, "hosts") != NULL;
    if (take_out(&u, name) == 0 && config_session_read(s, name, u.object, err) == 0)
        rc = put_back(&u);
    if (rc == 0 && limited)
        rc = apply_ceiling(&u) != 0 || limit(&u) != 0 ? -1 : 0;
    json_memory_release(u.object);
    return rc;
}
