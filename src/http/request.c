/* request.c - what to fetch and how: one request object as plain data. */

#include "http/request.h"

#include "http/field_syntax.h"
#include "util/array.h"
#include "util/hash.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_MAX_MS 86400000
#define BACKOFF_MAX_MS 3600000

/* -- the table ----------------------------------------------------------- */

static const char *const versions[] = {
    "auto", "1.1", "2", "2-prior-knowledge", "3", "3-only", NULL
};
static const char *const bodies[] = { "auto", "text", "base64", "none", NULL };

static const struct field keys[KEY_COUNT] = {
#define X(id, name, kind, member, min, max, words, initial, flags) \
    [KEY_##id] = { name, kind, offsetof(struct request, member), min, max, words, initial, flags },
    REQUEST_KEYS(X)
#undef X
};

_Static_assert(KEY_COUNT <= 64, "`set` has a bit for each key");

const struct field *
request_key_field(enum request_key key)
{
    return &keys[key];
}

enum request_key
request_key_find(const char *name)
{
    return (enum request_key)field_find(keys, KEY_COUNT, name);
}

bool
request_key_is_tracked(enum request_key key)
{
    const struct field *f = &keys[key];

    return (f->flags & REQUEST_IN_SESSION) != 0 && f->kind != REQUEST_GROUP &&
           f->kind != REQUEST_HEADERS && f->kind != REQUEST_COOKIES;
}

/* -- one key --------------------------------------------------------------- */

static void
credentials_destroy(struct credentials *c)
{
    free(c->user);
    free(c->password);
    *c = (struct credentials){ NULL, NULL };
}

static int
credentials_copy(struct credentials *to, const struct credentials *from)
{
    return text_replace(&to->user, from->user) || text_replace(&to->password, from->password) ? -1
                                                                                              : 0;
}

static bool
credentials_equal(const struct credentials *a, const struct credentials *b)
{
    return text_equal(a->user, b->user) && text_equal(a->password, b->password);
}

static int
auth_copy(struct request *to, const struct request *from)
{
    to->auth = from->auth;
    return credentials_copy(&to->auth_pair, &from->auth_pair) ||
                   text_replace(&to->auth_token, from->auth_token)
               ? -1
               : 0;
}

static int
extra_copy(struct request *to, const struct request *from)
{
    struct extra_fingerprint *extra = NULL;

    if (from->extra != NULL && (extra = extra_fingerprint_copy(from->extra)) == NULL)
        return -1;
    extra_fingerprint_free(to->extra);
    to->extra = extra;
    return 0;
}

static void
key_destroy(struct request *r, enum request_key key)
{
    void *member = (char *)r + keys[key].at;

    switch (keys[key].kind) {
    case REQUEST_NONE:
    case REQUEST_GROUP:
    case REQUEST_STATUSES:
    case REQUEST_FAILURES:
        return;
    case REQUEST_CA:
        ca_store_unref(r->ca);
        return;
    case REQUEST_EXTRA:
        extra_fingerprint_free(r->extra);
        return;
    case REQUEST_HEADERS:
        headers_destroy(member);
        return;
    case REQUEST_COOKIES:
        cookies_destroy(member);
        return;
    case REQUEST_CREDENTIALS:
        credentials_destroy(member);
        return;
    case REQUEST_AUTH:
        credentials_destroy(&r->auth_pair);
        free(r->auth_token);
        return;
    case REQUEST_METHODS:
        retry_policy_clear_methods(&r->retries);
        return;
    default:
        field_destroy(r, &keys[key]);
    }
}

static int
value_copy(struct request *to, const struct request *from, enum request_key key)
{
    void *member = (char *)to + keys[key].at;
    const void *source = (const char *)from + keys[key].at;

    switch (keys[key].kind) {
    case REQUEST_NONE:
    case REQUEST_GROUP:
        return 0;
    case REQUEST_HEADERS:
        return headers_add_all(member, source);
    case REQUEST_COOKIES:
        return cookies_add_all(member, source);
    case REQUEST_CREDENTIALS:
        return credentials_copy(member, source);
    case REQUEST_AUTH:
        return auth_copy(to, from);
    case REQUEST_STATUSES:
        memcpy(to->retries.statuses, from->retries.statuses, sizeof to->retries.statuses);
        return 0;
    case REQUEST_METHODS:
        return text_replace(&to->retries.methods, from->retries.methods);
    case REQUEST_FAILURES:
        to->retries.on = from->retries.on;
        return 0;
    case REQUEST_CA:
        ca_store_unref(to->ca);
        to->ca = ca_store_ref(from->ca);
        return 0;
    case REQUEST_EXTRA:
        return extra_copy(to, from);
    default:
        return field_copy(to, from, &keys[key]);
    }
}

int
request_key_copy(struct request *to, const struct request *from, enum request_key key)
{
    to->set |= from->set & UINT64_C(1) << key;
    return value_copy(to, from, key);
}

static bool
key_equal(const struct request *a, const struct request *b, enum request_key key)
{
    const void *of_a = (const char *)a + keys[key].at, *of_b = (const char *)b + keys[key].at;

    switch (keys[key].kind) {
    case REQUEST_NONE:
    case REQUEST_GROUP:
    case REQUEST_COOKIES: /* those of the same session are the same, and a caller's own are alone */
        return true;
    case REQUEST_HEADERS:
        return headers_equal(of_a, of_b);
    case REQUEST_CREDENTIALS:
        return credentials_equal(of_a, of_b);
    case REQUEST_AUTH:
        return a->auth == b->auth && credentials_equal(&a->auth_pair, &b->auth_pair) &&
               text_equal(a->auth_token, b->auth_token);
    case REQUEST_STATUSES:
        return memcmp(of_a, of_b, sizeof a->retries.statuses) == 0;
    case REQUEST_METHODS:
        return retry_policy_same_methods(&a->retries, &b->retries);
    case REQUEST_FAILURES:
        return a->retries.on == b->retries.on;
    case REQUEST_CA: /* an equal bundle that was given again is another one */
        return a->ca == b->ca;
    case REQUEST_EXTRA:
        return extra_fingerprint_equal(a->extra, b->extra);
    default:
        return field_equal(a, b, &keys[key]);
    }
}

bool
request_is_identical(const struct request *a, const struct request *b)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (!(keys[key].flags & REQUEST_PER_CALLER) && !key_equal(a, b, key))
            return false;
    return true;
}

/* -- its size -------------------------------------------------------------- */

static size_t
headers_bytes(const struct headers *p)
{
    size_t n = p->count * sizeof p->items[0];

    for (size_t i = 0; i < p->count; i++)
        n += text_bytes(p->items[i].name) + text_bytes(p->items[i].value);
    return n;
}

static size_t
cookies_bytes(const struct cookies *p)
{
    size_t n = p->count * sizeof p->items[0];

    for (size_t i = 0; i < p->count; i++)
        n += text_bytes(p->items[i].name) + text_bytes(p->items[i].value) +
             text_bytes(p->items[i].domain) + text_bytes(p->items[i].path);
    return n;
}

static size_t
credentials_bytes(const struct credentials *c)
{
    return text_bytes(c->user) + text_bytes(c->password);
}

/* Beside the struct's own bytes. */
static size_t
key_bytes(const struct request *r, enum request_key key)
{
    const void *member = (const char *)r + keys[key].at;

    switch (keys[key].kind) {
    case FIELD_TEXT:
    case FIELD_PATH:
        return text_bytes(*(char *const *)member);
    case REQUEST_HEADERS:
        return headers_bytes(member);
    case REQUEST_COOKIES:
        return cookies_bytes(member);
    case REQUEST_CREDENTIALS:
        return credentials_bytes(member);
    case REQUEST_AUTH:
        return credentials_bytes(&r->auth_pair) + text_bytes(r->auth_token);
    case REQUEST_METHODS:
        return text_bytes(r->retries.methods);
    case REQUEST_EXTRA:
        return extra_fingerprint_bytes(r->extra);
    default:
        return 0;
    }
}

size_t
request_bytes(const struct request *r)
{
    size_t n = sizeof *r + headers_bytes(&r->trace);

    for (enum request_key key = 0; key < KEY_COUNT; key++)
        n += key_bytes(r, key);
    return n;
}

/* -- the whole ------------------------------------------------------------- */

void
request_init(struct request *r)
{
    *r = (struct request){ .most = REQUEST_LIMITS_DEFAULT };
    retry_policy_init(&r->retries);
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (keys[key].initial != 0)
            field_init(r, &keys[key]);
}

static void
part_destroy(struct part *p)
{
    free(p->name);
    free(p->data);
    free(p->filename);
    free(p->content_type);
    headers_destroy(&p->headers);
}

void
request_destroy(struct request *r)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        key_destroy(r, key);
    headers_destroy(&r->trace);
    free(r->body);
    for (size_t i = 0; i < r->part_count; i++)
        part_destroy(&r->parts[i]);
    free(r->parts);
    request_init(r);
}

bool
request_has_fingerprint(const struct request *r)
{
    return r->ja3 != NULL || r->akamai != NULL || r->perk != NULL ||
           (r->extra != NULL && r->extra->set != 0);
}

bool
request_is_disguised(const struct request *r)
{
    return r->impersonate != NULL || request_has_fingerprint(r);
}

uint64_t
request_hash_fingerprint(uint64_t h, const struct request *r)
{
    if (!request_has_fingerprint(r))
        return h;
    h = hash_text(hash_text(hash_text(h, r->ja3), r->akamai), r->perk);
    return extra_fingerprint_hash(h, r->extra);
}

bool
request_is_lent_header(const struct request *r, size_t i)
{
    return i + r->lent_headers >= r->headers.count;
}

bool
request_has_header(const struct request *r, const char *name)
{
    return headers_has(&r->headers, name);
}

const char *
request_method(const struct request *r)
{
    if (r->method != NULL)
        return r->method;
    return request_has_body(r) ? "POST" : "GET";
}

bool
request_has_body(const struct request *r)
{
    return r->body != NULL || r->part_count > 0 || r->body_follows;
}

int
request_refuse_upload(const struct request *r, struct failure *err)
{
    if (!r->body_follows)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "body_follows: only for POST .../v1/fetch and .../v1/stream with "
                       "Content-Type: application/vnd.curlew.frames");
}

/* -- checked setters ------------------------------------------------------ */

/* May one more follow `count`?  `key` is the request's, and the setting's behind the last space. */
int
request_check_count(const char *key, size_t count, int most, struct failure *err)
{
    if (count < (size_t)most)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST, "%s: over %d (limits.%s)", key, most,
                       strcmp(key, "multipart") == 0         ? "parts"
                       : strcmp(key, "forward_headers") == 0 ? "headers"
                                                             : key);
}

int
request_set_method(struct request *r, const char *method, struct failure *err)
{
    if (!field_syntax_is_token(method))
        return failure_set(err, ERROR_BAD_REQUEST, "method: \"%.40s\" is not a token", method);
    free(r->method);
    r->method = strdup(method);
    r->set |= SET_METHOD;
    return r->method == NULL ? failure_no_memory(err) : 0;
}

/* Headers of one connection or of the message framing. */
static const char *const framing[] = {
    "host",    "connection", "content-length",   "transfer-encoding",   "te",     "trailer",
    "upgrade", "keep-alive", "proxy-connection", "proxy-authorization", "expect", "http2-settings",
};

int
request_add_retry_method(struct request *r, const char *method, struct failure *err)
{
    if (!field_syntax_is_token(method))
        return failure_set(err, ERROR_BAD_REQUEST, "retries.methods: \"%.40s\" is not a token",
                           method);
    if (retry_policy_count_methods(&r->retries) >= REQUEST_METHODS_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "retries.methods: over %d", REQUEST_METHODS_MAX);
    return retry_policy_add_method(&r->retries, method) != 0 ? failure_no_memory(err) : 0;
}

int
request_forward_header(struct request *r, const char *name, struct failure *err)
{
    if (!field_syntax_is_token(name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "forward_headers: \"%.80s\" is not a header name", name);
    for (size_t i = 0; i < sizeof framing / sizeof framing[0]; i++)
        if (strcasecmp(name, framing[i]) == 0)
            return failure_set(err, ERROR_BAD_REQUEST,
                               "forward_headers: \"%s\" cannot be forwarded: it belongs to one "
                               "connection or message",
                               name);
    if (request_check_count("forward_headers", r->forward.count, r->most.headers, err) != 0)
        return -1;
    if (headers_add(&r->forward, name, strlen(name), NULL, 0) != 0)
        return failure_no_memory(err);
    return 0;
}

static int
check_header(const char *name, const char *value, struct failure *err)
{
    if (!field_syntax_is_token(name))
        return failure_set(err, ERROR_BAD_REQUEST, "headers: \"%.80s\" is not a header name", name);
    if (value != NULL && strpbrk(value, "\r\n") != NULL)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "headers.%.80s: CR, LF and NUL are not allowed in a value", name);
    return 0;
}

int
request_add_header(struct request *r, const char *name, const char *value, struct failure *err)
{
    if (check_header(name, value, err) != 0 ||
        request_check_count("headers", r->headers.count, r->most.headers, err) != 0)
        return -1;
    if (headers_add(&r->headers, name, strlen(name), value, value ? strlen(value) : 0) != 0)
        return failure_no_memory(err);
    return 0;
}

/* Of what is sent, tabs may be a part: responses set such cookies, too. */
static bool
is_cookie_text(const char *s, const char *forbidden)
{
    for (; *s != '\0'; s++)
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f || strchr(forbidden, *s) != NULL)
            return false;
    return true;
}

static int
check_cookie(const struct cookie *c, struct failure *err)
{
    if (!is_cookie_text(c->name, "=;"))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies: \"%.80s\" is not a cookie name",
                           c->name);
    if (*c->name == '\0' && *c->value == '\0')
        return failure_set(err, ERROR_BAD_REQUEST, "cookies: one has neither name nor value");
    if (!is_cookie_text(c->value, ";"))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "cookies.%.80s: the value contains a semicolon or control character",
                           c->name);
    if (c->domain != NULL && (*c->domain == '\0' || !is_cookie_text(c->domain, "; \t/#")))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies.%.80s: invalid domain", c->name);
    if (c->path != NULL && (*c->path != '/' || !is_cookie_text(c->path, ";")))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies.%.80s: the path must begin with /",
                           c->name);
    return 0;
}

int
request_add_cookie(struct request *r, const struct cookie *c, struct failure *err)
{
    if (c->deleted)
        return 0;
    if (check_cookie(c, err) != 0)
        return -1;
    if (request_check_count("cookies", r->cookies.count, r->most.cookies, err) != 0)
        return -1;
    return cookies_add(&r->cookies, c) != 0 ? failure_no_memory(err) : 0;
}

int
request_add_part_header(struct request *r, struct part *p, const char *name, const char *value,
                        struct failure *err)
{
    if (check_header(name, value, err) != 0 ||
        request_check_count("headers", r->part_headers, r->most.headers, err) != 0)
        return -1;
    if (strcasecmp(name, "content-disposition") == 0 || strcasecmp(name, "content-type") == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "headers.%s: follows from the part's %s", name,
                           strcasecmp(name, "content-type") == 0 ? "content_type"
                                                                 : "name and filename");
    if (headers_add(&p->headers, name, strlen(name), value, strlen(value)) != 0)
        return failure_no_memory(err);
    r->part_headers++;
    return 0;
}

int
request_add_part(struct request *r, const struct part *p, struct failure *err)
{
    struct part *item;

    if (request_check_count("multipart", r->part_count, r->most.parts, err) != 0)
        return -1;
    if ((item = array_grow((void **)&r->parts, &r->part_count, sizeof *item)) == NULL)
        return failure_no_memory(err);
    item->size = p->size;
    if ((item->data = malloc(p->size + 1)) == NULL)
        return failure_no_memory(err);
    memcpy(item->data, p->data, p->size);
    item->data[p->size] = '\0';
    if (text_copy(&item->name, p->name) || text_copy(&item->filename, p->filename) ||
        text_copy(&item->content_type, p->content_type) ||
        headers_add_all(&item->headers, &p->headers))
        return failure_no_memory(err);
    return 0;
}
