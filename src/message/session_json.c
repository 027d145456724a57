/* session_json.c - named sessions to and from JSON, for …/v1/sessions. */

#include "message/session_json.h"

#include "message/config.h"

#include <stdlib.h>
#include <string.h>

#define SECRET "***"

/* -- from JSON ----------------------------------------------------------- */

/* A caller must not have the daemon read files, or lend itself an operator's certificate. */
static int
refuse_files(const struct session_config *s, struct failure *err)
{
    const char *key = s->ca_file != NULL       ? "ca_file"
                      : s->client_cert != NULL ? "client_cert"
                      : s->client_key != NULL  ? "client_key"
                                               : NULL;

    if (key == NULL)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST, "%s: only the configuration may name files", key);
}

int
session_from_text(struct session_config *s, const char *name, const char *text, size_t size,
                  struct failure *err)
{
    json_t *object;
    int rc;

    if (size == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a session object is needed");
    if ((object = json_parse(text, size, err)) == NULL)
        return -1;
    rc = session_settings_from_json(s, name, object, err);
    json_decref(object);
    return rc == 0 ? refuse_files(s, err) : -1;
}

/* -- to JSON ------------------------------------------------------------- */

static void
put(json_t *o, uint32_t set, uint32_t bit, const char *key, json_t *value)
{
    if (set & bit)
        json_object_set_new(o, key, value);
    else
        json_decref(value);
}

static json_t *
headers_json(const struct headers *p)
{
    json_t *all = json_object();

    for (size_t i = 0; i < p->count; i++)
        json_object_set_new(all, p->items[i].name,
                            p->items[i].value != NULL ? json_string(SECRET) : json_null());
    return all;
}

static json_t *
cookies_json(const struct cookies *c)
{
    json_t *all = json_object();

    for (size_t i = 0; i < c->count; i++)
        json_object_set_new(all, c->items[i].name, json_string(SECRET));
    return all;
}

static json_t *
timeouts_json(const struct request *r)
{
    json_t *all = json_object();

    put(all, r->set, SET_CONNECT_TIMEOUT, "connect",
        json_real((double)r->connect_timeout_ms / 1e3));
    put(all, r->set, SET_TOTAL_TIMEOUT, "total", json_real((double)r->total_timeout_ms / 1e3));
    put(all, r->set, SET_IDLE_TIMEOUT, "idle", json_real((double)r->idle_timeout_ms / 1e3));
    return all;
}

static json_t *
statuses_json(const struct retry_policy *r)
{
    json_t *all = json_array();

    for (int status = RETRY_POLICY_STATUS_MIN; status <= RETRY_POLICY_STATUS_MAX; status++)
        if (retry_policy_has_status(r, status))
            json_array_append_new(all, json_integer(status));
    return all;
}

static json_t *
methods_json(const struct retry_policy *r)
{
    const char *at = r->methods != NULL ? r->methods : "";
    json_t *all = json_array();
    size_t n;

    for (at += strspn(at, " "); (n = strcspn(at, " ")) > 0; at += n, at += strspn(at, " "))
        json_array_append_new(all, json_stringn(at, n));
    return all;
}

static json_t *
retries_json(const struct request *r)
{
    const struct retry_policy *t = &r->retries;
    json_t *all = json_object();

    put(all, r->set, SET_RETRIES, "max", json_integer(t->max));
    put(all, r->set, SET_BACKOFF, "backoff", json_real((double)t->backoff_ms / 1e3));
    put(all, r->set, SET_MAX_BACKOFF, "max_backoff", json_real((double)t->max_backoff_ms / 1e3));
    put(all, r->set, SET_RETRY_STATUSES, "statuses", statuses_json(t));
    put(all, r->set, SET_RETRY_METHODS, "methods", methods_json(t));
    put(all, r->set, SET_RETRY_AFTER, "respect_retry_after", json_boolean(t->respect_retry_after));
    return all;
}

/* Without what stands before the "@": user and password. */
static json_t *
proxy_json(const char *proxy)
{
    const char *at = proxy != NULL ? strrchr(proxy, '@') : NULL;
    const char *host = proxy != NULL ? strstr(proxy, "://") : NULL;

    if (proxy == NULL)
        return json_null();
    if (at == NULL || host == NULL)
        return json_string(proxy);
    return json_sprintf("%.*s" SECRET "%s", (int)(host + 3 - proxy), proxy, at);
}

static json_t *
proxies_json(const struct session_config *s)
{
    json_t *all = json_array();

    for (size_t i = 0; i < s->proxy_count; i++)
        json_array_append_new(all, proxy_json(s->proxies[i]));
    return all;
}

static void
add_defaults(json_t *o, const struct request *r)
{
    static const char *const versions[] = { "auto", "1.1", "2", "2-prior-knowledge", "3" };
    static const char *const bodies[] = { "auto", "text", "base64", "none" };

    if (r->headers.count > 0)
        json_object_set_new(o, "headers", headers_json(&r->headers));
    if (r->cookies.count > 0)
        json_object_set_new(o, "cookies", cookies_json(&r->cookies));
    put(o, r->set, SET_METHOD, "method", json_string(r->method != NULL ? r->method : ""));
    put(o, r->set, SET_CONNECT_TIMEOUT | SET_TOTAL_TIMEOUT | SET_IDLE_TIMEOUT, "timeout",
        timeouts_json(r));
    put(o, r->set, SET_FOLLOW_REDIRECTS, "follow_redirects", json_boolean(r->follow_redirects));
    put(o, r->set, SET_MAX_REDIRECTS, "max_redirects", json_integer(r->max_redirects));
    put(o, r->set, SET_VERIFY, "verify", json_boolean(r->verify));
    put(o, r->set, SET_HTTP_VERSION, "http_version", json_string(versions[r->http_version]));
    put(o, r->set, SET_IMPERSONATE, "impersonate",
        json_string(r->impersonate != NULL ? r->impersonate : ""));
    put(o, r->set, SET_PROXY, "proxy", proxy_json(r->proxy));
    put(o, r->set, SET_PROXY_AUTH, "proxy_auth", json_string(SECRET));
    put(o, r->set, SET_AUTH, "auth", json_string(SECRET));
    put(o, r->set, SET_DECOMPRESS, "decompress", json_boolean(r->decompress));
    put(o, r->set, SET_MAX_BODY_BYTES, "max_body_bytes", json_integer(r->max_body_bytes));
    put(o, r->set, SET_RESPONSE_BODY, "response_body", json_string(bodies[r->response_body]));
    put(o, r->set, SET_MAX_RECV_SPEED, "max_recv_speed", json_integer(r->max_recv_speed));
    put(o, r->set, SET_RETRIES, "retries", retries_json(r));
    put(o, r->set, SET_COALESCE, "coalesce", json_boolean(r->coalesce));
    put(o, r->set, SET_TAG, "tag", json_string(r->tag != NULL ? r->tag : ""));
}

static void
add_restraint(json_t *o, const struct session_config *c)
{
    if (c->rate_limit.rate > 0) {
        json_object_set_new(o, "rate_per_origin", json_real(c->rate_limit.rate));
        json_object_set_new(o, "burst", json_integer(c->rate_limit.burst));
    }
    if (c->breaker.failures > 0)
        json_object_set_new(o, "breaker",
                            json_pack("{s:i, s:f}", "failures", c->breaker.failures, "open_seconds",
                                      c->breaker.open_seconds));
}

static json_t *
session_json(const struct session *s)
{
    const struct session_config *c = &s->settings;
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(c->name));
    json_object_set_new(o, "at_run_time", json_boolean(s->at_run_time));
    json_object_set_new(o, "cookie_jar", json_string(c->shared_jar ? "shared" : "none"));
    json_object_set_new(o, "trace_context", json_boolean(c->trace_context));
    if (c->proxy_count > 0)
        json_object_set_new(o, "proxies", proxies_json(c));
    json_object_set_new(o, "max_in_flight", json_integer(c->max_in_flight));
    json_object_set_new(o, "max_per_origin", json_integer(c->max_per_origin));
    json_object_set_new(o, "idle_connections", json_integer(c->idle_connections));
    json_object_set_new(o, "idle_seconds", json_integer(c->idle_seconds));
    add_restraint(o, c);
    if (c->ca_file != NULL)
        json_object_set_new(o, "ca_file", json_string(c->ca_file));
    if (c->client_cert != NULL)
        json_object_set_new(o, "client_cert", json_string(c->client_cert));
    add_defaults(o, &c->defaults);
    json_object_set_new(o, "in_flight", json_integer(counter_read(&s->state->in_flight)));
    return o;
}

static int
dump(struct buffer *out, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));

    json_decref(o);
    if (text == NULL)
        return -1;
    buffer_adds(out, text);
    free(text);
    return buffer_ok(out) ? 0 : -1;
}

int
session_write(struct buffer *out, const struct session *s)
{
    return dump(out, session_json(s));
}

int
sessions_write(struct buffer *out, const struct config_snapshot *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->session_count; i++)
        json_array_append_new(list, session_json(p->sessions[i]));
    return dump(out, json_pack("{s:o}", "sessions", list));
}
