/*
 * origin_queue.c - queues: one session's fetches toward one origin, and what is remembered of both.
 */

#include "scheduler/origin_queue.h"

#include "util/clock.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP 2 /* idle queues looked at when one more becomes idle: they cannot pile up */

void
origin_queue_init_all(struct origin_queues *ls, struct engine_stats *stats,
                      struct timer_heap *timers, void (*on_due)(struct timer *t))
{
    *ls = (struct origin_queues){ .stats = stats, .timers = timers, .on_due = on_due };
    list_init(&ls->waiting);
    list_init(&ls->idle);
}

/* -- origins ----------------------------------------------------------------- */

static struct origin **
bucket_of(struct origin_queues *ls, const char *origin)
{
    return &ls->buckets[hash_bucket(hash_text(HASH_START, origin), ORIGIN_QUEUE_BUCKETS)];
}

static struct origin *
origin_of(struct origin_queues *ls, const char *name)
{
    struct origin **bucket = bucket_of(ls, name), *s = *bucket;
    size_t n = strlen(name) + 1;

    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    if (s != NULL || (s = calloc(1, sizeof *s + n)) == NULL)
        return s;
    memcpy(s->name, name, n);
    s->next = *bucket;
    *bucket = s;
    return s;
}

static void
origin_settle(struct origin_queues *ls, struct origin *s)
{
    struct origin **at = bucket_of(ls, s->name);

    if (s->queues != NULL)
        return;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

/* -- queues ----------------------------------------------------------------- */

static struct origin_queue *
queue_new(struct origin_queues *ls, struct origin *s, uint64_t session)
{
    struct origin_queue *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->home = ls;
    l->origin = s;
    l->session = session;
    list_init(&l->turn);
    list_init(&l->link);
    list_init(&l->queue);
    timer_init(&l->due, ls->on_due);
    ls->count++;
    return l;
}

struct origin_queue *
origin_queue_get(struct origin_queues *ls, const struct session_state *session, const char *origin)
{
    struct origin *s = origin_of(ls, origin);
    struct origin_queue **at, *l;

    if (s == NULL)
        return NULL;
    for (at = &s->queues; (l = *at) != NULL && l->session != session->id; at = &l->next)
        ;
    if (l != NULL)
        *at = l->next;
    else if ((l = queue_new(ls, s, session->id)) == NULL) {
        origin_settle(ls, s);
        return NULL;
    }
    l->next = s->queues;
    s->queues = l;
    return l;
}

/* The gauges of the breakers' states follow every change of one. */
static void
note_state(struct origin_queue *l, enum circuit_breaker_state before)
{
    struct engine_stats *s = l->home->stats;
    enum circuit_breaker_state now = l->breaker.state;

    if (now == before)
        return;
    counter_add(&s->breakers[before], -1);
    counter_add(&s->breakers[now], 1);
    if (now == CIRCUIT_OPEN)
        counter_add(&s->breakers_opened, 1);
}

static void
queue_free(struct origin_queue *l)
{
    struct origin_queue **at = &l->origin->queues;
    enum circuit_breaker_state before = l->breaker.state;

    l->breaker.state = CIRCUIT_OFF;
    note_state(l, before);
    timer_clear(l->home->timers, &l->due);
    list_remove(&l->link);
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->home->count--;
    origin_settle(l->home, l->origin);
    free(l);
}

void
origin_queue_destroy_all(struct origin_queues *ls)
{
    for (size_t i = 0; i < ORIGIN_QUEUE_BUCKETS; i++)
        while (ls->buckets[i] != NULL)
            queue_free(ls->buckets[i]->queues); /* the last one takes the origin along */
}

static bool
remembers(const struct origin_queue *l, int64_t now_us)
{
    return !token_bucket_is_full(&l->bucket, now_us) ||
           !circuit_breaker_is_idle(&l->breaker, now_us) ||
           !retry_budget_is_idle(&l->origin->budget, now_us);
}

static void
sweep(struct origin_queues *ls)
{
    int64_t now = clock_us();

    for (int i = 0; i < SWEEP && ls->count > ORIGIN_QUEUE_IDLE_MAX && !list_empty(&ls->idle); i++) {
        struct origin_queue *l = container_of(list_take(&ls->idle), struct origin_queue, link);

        if (ls->count > ORIGIN_QUEUE_MAX || !remembers(l, now))
            queue_free(l);
        else
            list_append(&ls->idle, &l->link);
    }
}

void
origin_queue_settle(struct origin_queue *l)
{
    struct origin_queues *ls = l->home;

    list_remove(&l->link);
    if (l->queued > 0)
        list_append(&ls->waiting, &l->link);
    if (l->queued > 0 || l->running > 0)
        return;
    list_append(&ls->idle, &l->link);
    if (ls->count > ORIGIN_QUEUE_IDLE_MAX)
        sweep(ls);
}

/* -- the queue ------------------------------------------------------------- */

struct curlew_fetch *
origin_queue_first(struct origin_queue *l)
{
    return container_of(l->queue.next, struct curlew_fetch, ticket.link);
}

struct origin_queue *
origin_queue_longest(struct origin_queues *ls)
{
    struct origin_queue *longest = NULL;

    for (struct link *at = ls->waiting.next; at != &ls->waiting; at = at->next) {
        struct origin_queue *l = container_of(at, struct origin_queue, link);

        if (longest == NULL || l->queued > longest->queued)
            longest = l;
    }
    return longest;
}

int64_t
origin_queue_token_at(struct origin_queue *l)
{
    const struct rate_limit *p = &origin_queue_first(l)->session->settings.rate_limit;
    int64_t now = clock_us(), at = token_bucket_ready_at(&l->bucket, p, now);

    return at > now ? at : 0;
}

/* -- the breaker ----------------------------------------------------------- */

void
origin_queue_reject(struct origin_queue *l, struct curlew_fetch *f)
{
    const struct circuit_breaker *b = &l->breaker;

    failure_set(&f->failure, ERROR_ORIGIN_UNAVAILABLE,
                "%s keeps failing: the session's breaker is %s", l->origin->name,
                b->state == CIRCUIT_OPEN ? "open" : "half-open, and waits for its probe");
    f->failure.retry_after = circuit_breaker_retry_after(b, clock_us());
}

bool
origin_queue_try_admit(struct origin_queue *l, struct curlew_fetch *f)
{
    const struct circuit_breaker_config *s = &f->session->settings.breaker;
    enum circuit_breaker_state before = l->breaker.state;
    bool admits;

    if (s->failures == 0 && before == CIRCUIT_OFF)
        return true;
    admits = circuit_breaker_try_pass(&l->breaker, s, clock_us(), &f->ticket.probe);
    note_state(l, before);
    if (!admits)
        origin_queue_reject(l, f);
    return admits;
}

bool
origin_queue_is_rejecting(const struct origin_queue *l)
{
    return l->breaker.state == CIRCUIT_OPEN || l->breaker.state == CIRCUIT_HALF_OPEN;
}

void
origin_queue_tick(struct origin_queue *l)
{
    enum circuit_breaker_state before = l->breaker.state;

    circuit_breaker_tick(&l->breaker, clock_us());
    note_state(l, before);
}

bool
origin_queue_record(struct origin_queue *l, struct curlew_fetch *f,
                    enum circuit_breaker_outcome outcome)
{
    enum circuit_breaker_state before = l->breaker.state;
    bool probe = f->ticket.probe, opened;

    f->ticket.probe = false;
    if (before == CIRCUIT_OFF || (outcome == OUTCOME_IGNORED && !probe))
        return false;
    opened = circuit_breaker_record(&l->breaker, &f->session->settings.breaker, outcome, probe,
                                    clock_us());
    note_state(l, before);
    return opened;
}
