/* coalesce.c - identical GETs in flight share one transfer. */

#include "engine/coalesce.h"

#include "engine/engine.h"
#include "http/request_merge.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

void
coalesce_init(struct coalesce *c)
{
    for (size_t i = 0; i < COALESCE_BUCKETS; i++)
        list_init(&c->buckets[i]);
}

bool
coalesce_is_wanted(const struct curlew_fetch *f)
{
    return f->request.coalesce && f->state == FETCH_POSTED && f->redirects == 0 && !f->is_leader &&
           !f->own_credentials && f->pipe == NULL && !f->sends_body &&
           strcmp(f->method, "GET") == 0;
}

/* -- identical? ---------------------------------------------------------- */

/* The same session object: a session replaced in between is another one. */
static bool
is_identical(const struct curlew_fetch *leader, const struct curlew_fetch *f)
{
    return leader->session == f->session && leader->config == f->config &&
           strcmp(leader->request.url, f->url.text) == 0 &&
           request_is_identical(&leader->request, &f->request);
}

static struct link *
bucket_of(struct coalesce *c, const char *url)
{
    return &c->buckets[hash_bucket(hash_text(HASH_START, url), COALESCE_BUCKETS)];
}

/* -- followers -------------------------------------------------------------- */

static void
become_follower(struct curlew_fetch *f, struct curlew_fetch *leader)
{
    f->state = FETCH_FOLLOWING;
    f->leader = leader;
    f->response.coalesced = !list_empty(&leader->followers);
    list_append(&leader->followers, &f->place);
}

/* A fetch like f, which nobody waits for but its followers. */
static struct curlew_fetch *
leader_new(struct curlew_fetch *f)
{
    struct curlew_fetch *leader = fetch_new();
    struct failure err = { 0 };

    if (leader == NULL)
        return NULL;
    if (request_merge_copy(&leader->request, &f->request, &err) != 0 ||
        url_parse(&leader->url, f->url.text, &err) != 0 ||
        (f->proxy_host != NULL && (leader->proxy_host = strdup(f->proxy_host)) == NULL)) {
        fetch_unref(leader);
        return NULL;
    }
    leader->is_leader = true;
    free(leader->request.url); /* as it was asked for: a redirect changes leader->url */
    if ((leader->request.url = strdup(f->url.text)) == NULL) {
        fetch_unref(leader);
        return NULL;
    }
    leader->request.total_timeout_ms = 0; /* each follower has its own */
    leader->request.max_body_bytes = f->request.max_body_bytes;
    leader->engine = f->engine;
    leader->config = config_snapshot_ref(f->config);
    leader->session = f->session;
    leader->method = "GET";
    leader->same_origin = true;
    leader->names_host = f->names_host;
    leader->proxy_lent = f->proxy_lent;
    leader->submitted_us = leader->posted_us = f->posted_us;
    leader->response.attempts = 1;
    return leader;
}

struct curlew_fetch *
coalesce_join(struct coalesce *c, struct curlew_fetch *f)
{
    struct link *bucket = bucket_of(c, f->url.text);
    struct curlew_fetch *leader;

    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        leader = container_of(l, struct curlew_fetch, shared);
        if (is_identical(leader, f)) {
            become_follower(f, leader);
            return NULL;
        }
    }
    if ((leader = leader_new(f)) == NULL) {
        failure_no_memory(&f->failure);
        return NULL;
    }
    list_append(bucket, &leader->shared);
    become_follower(f, leader);
    return leader;
}

bool
coalesce_detach(struct curlew_fetch *f)
{
    list_remove(&f->place);
    return list_empty(&f->leader->followers);
}

void
coalesce_close(struct curlew_fetch *leader)
{
    list_remove(&leader->shared);
}

/* -- the outcome --------------------------------------------------------- */

static int
copy_outcome(struct curlew_fetch *f, struct curlew_fetch *leader)
{
    struct failure *err = &f->failure;
    bool coalesced = f->response.coalesced;

    if (leader->failure.error != ERROR_NONE) {
        *err = leader->failure;
        return -1;
    }
    if (!body_account_try_add(f->config->bodies, leader->buffered,
                              f->config->limits.buffered_bytes))
        return failure_set(err, ERROR_OVERLOADED, "limits.buffered_bytes: all bodies are over it");
    f->buffered = leader->buffered;
    if (response_copy(&f->response, &leader->response) != 0)
        return failure_no_memory(err);
    f->response.coalesced = coalesced;
    f->redirects = leader->redirects;
    return 0;
}

struct curlew_fetch *
coalesce_next_follower(struct curlew_fetch *leader)
{
    struct link *l = list_take(&leader->followers);
    struct curlew_fetch *f;

    if (l == NULL)
        return NULL;
    f = container_of(l, struct curlew_fetch, place);
    copy_outcome(f, leader);
    return f;
}
