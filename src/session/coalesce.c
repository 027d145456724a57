/* coalesce.c - identical GETs in flight share one transfer. */

#include "session/coalesce.h"

#include "session/engine.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
coalesce_init(struct coalesce *c)
{
    for (size_t i = 0; i < COALESCE_BUCKETS; i++)
        list_init(&c->buckets[i]);
}

bool
coalesce_wanted(const struct curlew_fetch *f)
{
    return f->request.coalesce && f->state == FETCH_POSTED && f->redirects == 0 && !f->is_host &&
           !f->own_credentials && f->pipe == NULL && !f->sends_body &&
           strcmp(f->method, "GET") == 0;
}

/* -- identical? ---------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_headers(const struct headers *a, const struct headers *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcasecmp(a->items[i].name, b->items[i].name) != 0 ||
            !same_text(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

static bool
same_settings(const struct request *a, const struct request *b)
{
    return a->follow_redirects == b->follow_redirects && a->max_redirects == b->max_redirects &&
           a->verify == b->verify && a->decompress == b->decompress &&
           a->http_version == b->http_version && a->max_body_bytes == b->max_body_bytes &&
           a->max_recv_speed == b->max_recv_speed && a->response_body == b->response_body &&
           a->connect_timeout_ms == b->connect_timeout_ms &&
           a->idle_timeout_ms == b->idle_timeout_ms && same_text(a->proxy, b->proxy) &&
           same_text(a->impersonate, b->impersonate) &&
           same_text(a->proxy_auth.user, b->proxy_auth.user) &&
           same_text(a->proxy_auth.password, b->proxy_auth.password) &&
           retry_policy_equal(&a->retries, &b->retries);
}

/* The same session object: a session replaced in between is another one. */
static bool
is_identical(const struct curlew_fetch *host, const struct curlew_fetch *f)
{
    return host->session == f->session && host->config == f->config &&
           strcmp(host->request.url, f->url.text) == 0 &&
           same_headers(&host->request.headers, &f->request.headers) &&
           same_settings(&host->request, &f->request);
}

static struct link *
bucket_of(struct coalesce *c, const char *url)
{
    return &c->buckets[hash_bucket(hash_text(HASH_START, url), COALESCE_BUCKETS)];
}

/* -- guests -------------------------------------------------------------- */

static void
become_guest(struct curlew_fetch *f, struct curlew_fetch *host)
{
    f->state = FETCH_SHARING;
    f->host = host;
    f->response.coalesced = !list_empty(&host->guests);
    list_append(&host->guests, &f->place);
}

/* A fetch like f, which nobody waits for but its guests. */
static struct curlew_fetch *
host_new(struct curlew_fetch *f)
{
    struct curlew_fetch *host = fetch_new();
    struct failure err = { 0 };

    if (host == NULL)
        return NULL;
    if (request_merge_copy(&host->request, &f->request, &err) != 0 ||
        url_parse(&host->url, f->url.text, &err) != 0 ||
        (f->proxy_host != NULL && (host->proxy_host = strdup(f->proxy_host)) == NULL)) {
        fetch_unref(host);
        return NULL;
    }
    host->is_host = true;
    free(host->request.url); /* as it was asked for: a redirect changes host->url */
    if ((host->request.url = strdup(f->url.text)) == NULL) {
        fetch_unref(host);
        return NULL;
    }
    host->request.total_timeout_ms = 0; /* each guest has its own */
    host->request.max_body_bytes = f->request.max_body_bytes;
    host->engine = f->engine;
    host->config = config_snapshot_ref(f->config);
    host->session = f->session;
    host->method = "GET";
    host->same_origin = true;
    host->names_host = f->names_host;
    host->proxy_lent = f->proxy_lent;
    host->submitted_us = host->posted_us = f->posted_us;
    host->response.attempts = 1;
    return host;
}

struct curlew_fetch *
coalesce_join(struct coalesce *c, struct curlew_fetch *f)
{
    struct link *bucket = bucket_of(c, f->url.text);
    struct curlew_fetch *host;

    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        host = container_of(l, struct curlew_fetch, shared);
        if (is_identical(host, f)) {
            become_guest(f, host);
            return NULL;
        }
    }
    if ((host = host_new(f)) == NULL) {
        failure_no_memory(&f->failure);
        return NULL;
    }
    list_append(bucket, &host->shared);
    become_guest(f, host);
    return host;
}

bool
coalesce_leave(struct curlew_fetch *f)
{
    list_remove(&f->place);
    return list_empty(&f->host->guests);
}

void
coalesce_forget(struct curlew_fetch *host)
{
    list_remove(&host->shared);
}

/* -- the outcome --------------------------------------------------------- */

static int
copy_outcome(struct curlew_fetch *f, struct curlew_fetch *host)
{
    struct failure *err = &f->failure;
    bool coalesced = f->response.coalesced;

    if (host->failure.error != ERROR_NONE) {
        *err = host->failure;
        return -1;
    }
    if (engine_account(f->engine, f->config, host->buffered) != 0)
        return failure_set(err, ERROR_OVERLOADED, "limits.buffered_bytes: all bodies are over it");
    f->buffered = host->buffered;
    if (response_copy(&f->response, &host->response) != 0)
        return failure_no_memory(err);
    f->response.coalesced = coalesced;
    f->redirects = host->redirects;
    return 0;
}

struct curlew_fetch *
coalesce_next_guest(struct curlew_fetch *host)
{
    struct link *l = list_take(&host->guests);
    struct curlew_fetch *f;

    if (l == NULL)
        return NULL;
    f = container_of(l, struct curlew_fetch, place);
    copy_outcome(f, host);
    return f;
}
