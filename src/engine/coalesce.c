/* coalesce.c - single flight: identical GETs share one transfer. */

#include "engine/coalesce.h"

#include "fetch/deadline.h"
#include "http/request_merge.h"
#include "util/clock.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

void
coalesce_init(struct coalesce *all)
{
    for (size_t i = 0; i < COALESCE_BUCKETS; i++)
        list_init(&all->buckets[i]);
}

bool
coalesce_is_wanted(const struct curlew_fetch *f)
{
    return f->request.coalesce && f->state == FETCH_POSTED && f->redirects == 0 &&
           !f->flight.is_leader && !f->own_credentials && f->pipe == NULL && !f->sends_body &&
           strcmp(f->method, "GET") == 0;
}

/* -- which are identical ------------------------------------------------- */

/* Between two attempts, and the next one would come after f's timeout. */
static bool
waits_too_long(const struct curlew_fetch *leader, const struct curlew_fetch *f)
{
    return leader->state == FETCH_BACKOFF && leader->retry.at_us >= deadline_of_total(f);
}

/* The pointers are compared: a session that was replaced meanwhile is another one. */
static bool
is_identical(const struct curlew_fetch *leader, const struct curlew_fetch *f)
{
    return leader->session == f->session && leader->config == f->config &&
           strcmp(leader->request.url, f->url.text) == 0 &&
           request_is_identical(&leader->request, &f->request);
}

static struct link *
bucket_of(struct coalesce *all, const char *url)
{
    return &all->buckets[hash_bucket(hash_text(HASH_START, url), COALESCE_BUCKETS)];
}

/* -- followers -------------------------------------------------------------- */

/* In seconds, all hops together, and the time until now if it is in a queue. */
static double
time_in_queues(const struct curlew_fetch *leader)
{
    int64_t now_us = leader->state == FETCH_QUEUED ? clock_us() : leader->posted_us;

    return leader->response.timing.queue + (double)(now_us - leader->posted_us) / US_PER_SECOND;
}

static void
become_follower(struct curlew_fetch *f, struct curlew_fetch *leader)
{
    fetch_set_state(f, FETCH_FOLLOWING);
    f->flight.leader = leader;
    f->flight.queued = time_in_queues(leader);
    f->response.coalesced = !list_empty(&leader->flight.followers);
    list_append(&leader->flight.followers, &f->flight.link);
}

/* A fetch like f, for which only its followers wait. */
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
    leader->flight.is_leader = true;
    free(leader->request.url); /* the first URL: a redirect changes leader->url */
    if ((leader->request.url = strdup(f->url.text)) == NULL) {
        fetch_unref(leader);
        return NULL;
    }
    leader->request.total_timeout_ms = 0; /* each follower has its own */
    leader->request.max_body_bytes = f->request.max_body_bytes;
    leader->stats = f->stats;
    leader->config = config_snapshot_ref(f->config);
    leader->session = f->session;
    leader->method = "GET";
    leader->same_origin = true;
    leader->proxy_lent = f->proxy_lent;
    leader->submitted_us = leader->posted_us = f->posted_us;
    leader->response.attempts = 1;
    return leader;
}

struct curlew_fetch *
coalesce_join(struct coalesce *all, struct curlew_fetch *f)
{
    struct link *bucket = bucket_of(all, f->url.text);
    struct curlew_fetch *leader;

    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        leader = container_of(l, struct curlew_fetch, flight.leader_link);
        if (is_identical(leader, f) && !waits_too_long(leader, f)) {
            become_follower(f, leader);
            return NULL;
        }
    }
    if ((leader = leader_new(f)) == NULL) {
        failure_no_memory(&f->failure);
        return NULL;
    }
    list_append(bucket, &leader->flight.leader_link);
    become_follower(f, leader);
    return leader;
}

/* What is known of the transfer, whatever comes of it. */
static void
copy_facts(struct curlew_fetch *f, const struct curlew_fetch *leader)
{
    f->was_sent = leader->was_sent;
    f->sent_error = leader->sent_error;
    f->redirects = leader->redirects;
    f->response.attempts = leader->response.attempts;
    f->response.timing = leader->response.timing;
    f->response.reused = leader->response.reused;
    f->response.body_bytes = leader->response.body_bytes;
}

/* It waited with the leader from when it joined on; 0: that has not left its queue since. */
static void
keep_own_queue_time(struct curlew_fetch *f, const struct curlew_fetch *leader)
{
    double queue = leader->response.timing.queue - f->flight.queued;

    f->response.timing.queue = queue > 0 ? queue : 0;
}

struct curlew_fetch *
coalesce_detach(struct curlew_fetch *f)
{
    struct curlew_fetch *leader = f->flight.leader;

    list_remove(&f->flight.link);
    copy_facts(f, leader);
    keep_own_queue_time(f, leader);
    if (!list_empty(&leader->flight.followers))
        return NULL;
    leader->failure = f->failure; /* a timeout counts against the origin, a caller that left not */
    return leader;
}

void
coalesce_close(struct curlew_fetch *leader)
{
    list_remove(&leader->flight.leader_link);
}

int64_t
coalesce_latest_deadline(const struct curlew_fetch *leader)
{
    const struct link *followers = &leader->flight.followers;
    int64_t latest = 0;

    for (const struct link *l = followers->next; l != followers; l = l->next) {
        int64_t at = deadline_of_total(container_of(l, struct curlew_fetch, flight.link));

        latest = at > latest ? at : latest;
    }
    return latest;
}

void
coalesce_take_impatient(struct curlew_fetch *leader, int64_t until_us, struct link *taken)
{
    struct link *followers = &leader->flight.followers, *next;

    list_init(taken);
    for (struct link *l = followers->next; l != followers; l = next) {
        next = l->next;
        if (deadline_of_total(container_of(l, struct curlew_fetch, flight.link)) > until_us)
            continue;
        list_remove(l);
        list_append(taken, l);
    }
}

/* -- the outcome --------------------------------------------------------- */

static int
copy_outcome(struct curlew_fetch *f, struct curlew_fetch *leader)
{
    struct failure *err = &f->failure;
    bool coalesced = f->response.coalesced;

    copy_facts(f, leader);
    if (leader->failure.error != ERROR_NONE) {
        *err = leader->failure;
        if (leader->response.redirect_failed) /* told with the failure; its body is dropped */
            response_copy(&f->response, &leader->response);
        f->response.coalesced = coalesced;
        return -1;
    }
    if (fetch_try_buffer(f, leader->buffered) != 0)
        return fetch_overloaded(f, err);
    if (response_copy(&f->response, &leader->response) != 0)
        return failure_no_memory(err);
    f->response.coalesced = coalesced;
    return 0;
}

struct curlew_fetch *
coalesce_next_follower(struct curlew_fetch *leader, struct link *taken)
{
    struct link *l = list_take(taken);
    struct curlew_fetch *f;

    if (l == NULL)
        return NULL;
    f = container_of(l, struct curlew_fetch, flight.link);
    copy_outcome(f, leader);
    keep_own_queue_time(f, leader);
    return f;
}
