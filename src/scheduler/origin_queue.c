/* origin_queue.c - one session's fetches toward one origin, and what is remembered of both. */

#include "scheduler/origin_queue.h"

#include "util/clock.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP 2 /* idle queues looked at when one more becomes idle, so that they do not pile up */

void
origin_queue_init_all(struct origin_queues *all, struct engine_stats *stats,
                      struct timer_heap *timers, void (*on_due)(struct timer *t))
{
    *all = (struct origin_queues){ .stats = stats, .timers = timers, .on_due = on_due };
    pthread_mutex_init(&all->lock, NULL);
    all->mark_us = all->older_mark_us = clock_us();
    list_init(&all->waiting);
    list_init(&all->idle);
}

/* -- origins ----------------------------------------------------------------- */

static struct origin **
bucket_of(struct origin_queues *all, const char *origin)
{
    return &all->buckets[hash_bucket(hash_text(HASH_START, origin), ORIGIN_QUEUE_BUCKETS)];
}

static struct origin *
origin_of(struct origin_queues *all, const char *name)
{
    struct origin **bucket = bucket_of(all, name), *o = *bucket;
    size_t n = strlen(name) + 1;

    while (o != NULL && strcmp(o->name, name) != 0)
        o = o->next;
    if (o != NULL || (o = calloc(1, sizeof *o + n)) == NULL)
        return o;
    memcpy(o->name, name, n);
    pthread_mutex_lock(&all->lock);
    o->next = *bucket;
    *bucket = o;
    pthread_mutex_unlock(&all->lock);
    return o;
}

static void
origin_free_unused(struct origin_queues *all, struct origin *o)
{
    struct origin **at = bucket_of(all, o->name);

    if (o->queues != NULL)
        return;
    while (*at != o)
        at = &(*at)->next;
    pthread_mutex_lock(&all->lock);
    *at = o->next;
    pthread_mutex_unlock(&all->lock);
    free(o);
}

/* -- queues ----------------------------------------------------------------- */

static struct origin_queue *
queue_new(struct origin_queues *all, struct origin *o, uint64_t session)
{
    struct origin_queue *q = calloc(1, sizeof *q);

    if (q == NULL)
        return NULL;
    q->all = all;
    q->origin = o;
    q->session = session;
    list_init(&q->turn);
    list_init(&q->link);
    list_init(&q->queue);
    q->last_hop = &q->queue;
    timer_init(&q->due, all->on_due);
    all->count++;
    return q;
}

struct origin_queue *
origin_queue_get(struct origin_queues *all, const struct session_state *session, const char *origin)
{
    struct origin *o = origin_of(all, origin);
    struct origin_queue **at, *q;

    if (o == NULL)
        return NULL;
    for (at = &o->queues; (q = *at) != NULL && q->session != session->id; at = &q->next)
        ;
    if (q != NULL)
        *at = q->next;
    else if ((q = queue_new(all, o, session->id)) == NULL) {
        origin_free_unused(all, o);
        return NULL;
    }
    q->next = o->queues;
    o->queues = q;
    return q;
}

static bool
is_open(enum circuit_breaker_state state)
{
    return state == CIRCUIT_OPEN || state == CIRCUIT_HALF_OPEN;
}

/* The gauges of the circuit breakers' states. */
static void
record_state(struct origin_queue *q, enum circuit_breaker_state before)
{
    struct engine_stats *stats = q->all->stats;
    enum circuit_breaker_state now = q->breaker.state;

    if (now == before)
        return;
    counter_add(&stats->breakers[before], -1);
    counter_add(&stats->breakers[now], 1);
    counter_add_alone(&q->origin->figures.breakers_open, is_open(now) - is_open(before));
    if (now == CIRCUIT_OPEN)
        counter_add(&stats->breakers_opened, 1);
}

/* Of a queue that is idle. */
static void
forget_breaker(struct origin_queue *q)
{
    enum circuit_breaker_state before = q->breaker.state;

    q->breaker = (struct circuit_breaker){ .state = CIRCUIT_OFF };
    record_state(q, before);
    timer_clear(q->all->timers, &q->due);
}

static void
queue_free(struct origin_queue *q)
{
    struct origin_queue **at = &q->origin->queues;

    forget_breaker(q);
    list_remove(&q->link);
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    q->all->count--;
    origin_free_unused(q->all, q->origin);
    free(q);
}

void
origin_queue_destroy_all(struct origin_queues *all)
{
    for (size_t i = 0; i < ORIGIN_QUEUE_BUCKETS; i++)
        while (all->buckets[i] != NULL)
            queue_free(all->buckets[i]->queues); /* the last one takes the origin along */
    pthread_mutex_destroy(&all->lock);
}

/* Does it remember something that still matters? */
static bool
is_needed(const struct origin_queue *q, int64_t now_us)
{
    return !token_bucket_is_full(&q->bucket, now_us) ||
           !circuit_breaker_is_idle(&q->breaker, now_us) ||
           !retry_budget_is_idle(&q->origin->budget, now_us);
}

static void
free_idle(struct origin_queues *all)
{
    int64_t now = clock_us();

    for (int left = SWEEP; left > 0 && !list_empty(&all->idle); left--) {
        struct origin_queue *q = container_of(list_take(&all->idle), struct origin_queue, link);

        if (all->count > ORIGIN_QUEUE_MAX || !is_needed(q, now))
            queue_free(q);
        else
            list_append(&all->idle, &q->link);
        if (all->count <= ORIGIN_QUEUE_IDLE_MAX)
            return;
    }
}

void
origin_queue_add(struct origin_queue *q, int queued, int running)
{
    struct origin_figures *figures = &q->origin->figures;

    q->queued += queued;
    q->running += running;
    counter_add_alone(&figures->queued, queued);
    counter_add_alone(&figures->in_flight, running);
}

void
origin_queue_count_hop(struct origin_queue *q, bool failed, int64_t started_us)
{
    struct origin_figures *figures = &q->origin->figures;

    counter_add_alone(&figures->hops, 1);
    counter_add_alone(&figures->failures, failed);
    counter_add_alone(&figures->us, clock_us() - started_us);
}

void
origin_queue_counts_changed(struct origin_queue *q)
{
    struct origin_queues *all = q->all;

    list_remove(&q->link);
    if (q->queued > 0)
        list_append(&all->waiting, &q->link);
    if (q->queued > 0 || q->running > 0)
        return;
    list_append(&all->idle, &q->link);
    if (all->count > ORIGIN_QUEUE_IDLE_MAX)
        free_idle(all);
}

/* -- the queue ------------------------------------------------------------- */

struct curlew_fetch *
origin_queue_first(const struct origin_queue *q)
{
    return container_of(q->queue.next, struct curlew_fetch, ticket.link);
}

struct origin_queue *
origin_queue_longest(struct origin_queues *all)
{
    struct origin_queue *longest = NULL;

    for (struct link *at = all->waiting.next; at != &all->waiting; at = at->next) {
        struct origin_queue *q = container_of(at, struct origin_queue, link);

        if (longest == NULL || q->queued > longest->queued)
            longest = q;
    }
    return longest;
}

int64_t
origin_queue_token_at(struct origin_queue *q)
{
    const struct rate_limit *limit = &origin_queue_first(q)->session->settings.rate_limit;
    int64_t now = clock_us(), at = token_bucket_ready_at(&q->bucket, limit, now);

    return at > now ? at : 0;
}

/* -- the circuit breaker ---------------------------------------------------- */

void
origin_queue_reject(struct origin_queue *q, struct curlew_fetch *f)
{
    const struct circuit_breaker *b = &q->breaker;

    failure_set(&f->failure, ERROR_ORIGIN_UNAVAILABLE,
                "%s keeps failing: its circuit breaker is %s", q->origin->name,
                b->state == CIRCUIT_OPEN ? "open" : "half-open, waiting for the result of a probe");
    f->failure.retry_after = circuit_breaker_retry_after(b, clock_us());
}

bool
origin_queue_try_admit(struct origin_queue *q, struct curlew_fetch *f)
{
    const struct circuit_breaker_config *config = &f->session->settings.breaker;
    enum circuit_breaker_state before = q->breaker.state;
    bool admits;

    if (config->failures == 0 && before == CIRCUIT_OFF)
        return true;
    admits = circuit_breaker_try_pass(&q->breaker, config, clock_us(), &f->ticket.probe);
    record_state(q, before);
    if (!admits)
        origin_queue_reject(q, f);
    return admits;
}

bool
origin_queue_is_rejecting(const struct origin_queue *q)
{
    return is_open(q->breaker.state);
}

void
origin_queue_tick(struct origin_queue *q)
{
    enum circuit_breaker_state before = q->breaker.state;

    circuit_breaker_tick(&q->breaker, clock_us());
    record_state(q, before);
}

static int
compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The states' ids of those that have a breaker, in order.  NULL: no memory. */
static uint64_t *
sessions_with_breaker(const struct config_snapshot *p, size_t *count)
{
    uint64_t *ids = calloc(p->session_count + 1, sizeof ids[0]);

    *count = 0;
    if (ids == NULL)
        return NULL;
    for (size_t i = 0; i < p->session_count; i++)
        if (p->sessions[i]->settings.breaker.failures > 0)
            ids[(*count)++] = p->sessions[i]->state->id;
    qsort(ids, *count, sizeof ids[0], compare_ids);
    return ids;
}

void
origin_queue_forget_breakers(struct origin_queues *all, const struct config_snapshot *p)
{
    size_t count;
    uint64_t *ids = sessions_with_breaker(p, &count);

    for (struct link *l = all->idle.next; ids != NULL && l != &all->idle; l = l->next) {
        struct origin_queue *q = container_of(l, struct origin_queue, link);

        if (q->breaker.state != CIRCUIT_OFF &&
            bsearch(&q->session, ids, count, sizeof ids[0], compare_ids) == NULL)
            forget_breaker(q);
    }
    free(ids);
}

static bool
record(struct origin_queue *q, struct curlew_fetch *f, enum circuit_breaker_outcome outcome)
{
    enum circuit_breaker_state before = q->breaker.state;
    bool probe = f->ticket.probe, opened;

    f->ticket.probe = false;
    if (before == CIRCUIT_OFF || (outcome == OUTCOME_IGNORED && !probe))
        return false;
    opened = circuit_breaker_record(&q->breaker, &f->session->settings.breaker, outcome, probe,
                                    clock_us());
    record_state(q, before);
    return opened;
}

bool
origin_queue_record(struct origin_queue *q, struct curlew_fetch *f,
                    enum circuit_breaker_outcome outcome)
{
    bool opened = record(q, f, outcome);

    if (q->queued == 0 && q->running == 0 && f->session->state->removed)
        forget_breaker(q);
    return opened;
}
