/* scheduler.c - whose turn it is: limits, bounded queues, and a fair turn for each origin. */

#include "scheduler/scheduler.h"

#include "util/clock.h"

#include <string.h>

static void on_queue_due(struct timer *t);

void
scheduler_init(struct scheduler *a, struct engine_stats *stats, const atomic_int *in_flight_max,
               struct timer_heap *timers)
{
    *a = (struct scheduler){ .stats = stats, .in_flight_max = in_flight_max };
    origin_queue_init_all(&a->queues, stats, timers, on_queue_due);
    list_init(&a->ring);
}

void
scheduler_destroy(struct scheduler *a)
{
    origin_queue_destroy_all(&a->queues);
}

/* -- places -------------------------------------------------------------- */

static bool
take_token(struct curlew_fetch *f)
{
    const struct rate_limit *p = &f->session->settings.rate_limit;

    return p->rate <= 0 || token_bucket_try_take(&f->ticket.queue->bucket, p, clock_us());
}

static bool
take_places(struct scheduler *a, struct curlew_fetch *f)
{
    const struct session_config *s = &f->session->settings;

    if (f->ticket.queue->running >= s->max_per_origin)
        return false;
    if (!counter_try_increment(&a->stats->in_flight, f->config->limits.in_flight))
        return false;
    if (!counter_try_increment(&f->session->state->in_flight, s->max_in_flight))
        goto no_place;
    if (!take_token(f))
        goto no_token;
    f->ticket.queue->running++;
    return true;

no_token:
    counter_add(&f->session->state->in_flight, -1);
no_place:
    counter_add(&a->stats->in_flight, -1);
    return false;
}

/* When a queue can take a turn: 0, now; INT64_MAX, as soon as something else has happened. */
static int64_t
queue_due_at(struct origin_queue *l)
{
    const struct session_config *s;

    if (l->breaker.state == CIRCUIT_OPEN)
        return l->breaker.next_us;
    if (l->queued == 0)
        return INT64_MAX;
    s = &origin_queue_first(l)->session->settings;
    if (l->running >= s->max_per_origin)
        return INT64_MAX;
    return s->rate_limit.rate > 0 ? origin_queue_token_at(l) : 0;
}

/*
 * In the ring exactly while it waits, is below its own limit and has a token; one that is in it
 * keeps its turn.  A timer brings back a queue that nothing but time keeps out of it.
 */
static void
queue_join(struct scheduler *a, struct origin_queue *l)
{
    int64_t at = queue_due_at(l);
    bool joins = at == 0;

    timer_clear(a->queues.timers, &l->due);
    if (!joins && at != INT64_MAX && timer_set(a->queues.timers, &l->due, at) != 0)
        joins = l->queued > 0; /* no memory: then it is asked again and again */
    if (!joins)
        list_remove(&l->turn);
    else if (list_empty(&l->turn))
        list_append(&a->ring, &l->turn);
}

/* Its counts, or its queue: l may be gone after it. */
static void
queue_changed(struct scheduler *a, struct origin_queue *l)
{
    queue_join(a, l);
    origin_queue_settle(l);
}

/* Whoever can start does so when the thread's turn ends. */
static void
on_queue_due(struct timer *t)
{
    struct origin_queue *l = container_of(t, struct origin_queue, due);

    origin_queue_tick(l);
    queue_join(container_of(l->home, struct scheduler, queues), l);
}

/* -- the queue ----------------------------------------------------------- */

static void
unqueue(struct scheduler *a, struct curlew_fetch *f)
{
    list_remove(&f->ticket.link);
    f->ticket.queue->queued--;
    counter_add(&a->stats->queued, -1);
}

static int
overloaded(struct curlew_fetch *f)
{
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "limits.queue: %d fetches are waiting already", f->config->limits.queue);
}

void
scheduler_withdraw(struct scheduler *a, struct curlew_fetch *f)
{
    struct origin_queue *l = f->ticket.queue;

    unqueue(a, f);
    f->ticket.queue = NULL;
    origin_queue_record(l, f, OUTCOME_IGNORED);
    queue_changed(a, l);
}

/* The newest of the longest queue makes room, if that is more than one longer than f's own. */
static struct curlew_fetch *
evict_for(struct scheduler *a, struct curlew_fetch *f)
{
    struct origin_queue *longest = origin_queue_longest(&a->queues);
    struct curlew_fetch *victim;

    if (longest == NULL || longest->queued <= f->ticket.queue->queued + 1)
        return NULL;
    victim = container_of(list_last(&longest->queue), struct curlew_fetch, ticket.link);
    scheduler_withdraw(a, victim);
    overloaded(victim);
    return victim;
}

/* One whose turn came at an earlier hop goes before those whose has not come yet. */
static void
line_up(struct scheduler *a, struct curlew_fetch *f)
{
    struct link *queue = &f->ticket.queue->queue;

    list_append(f->redirects > 0 ? queue->next : queue, &f->ticket.link);
    f->ticket.queue->queued++;
    queue_changed(a, f->ticket.queue);
}

static enum scheduled
enqueue(struct scheduler *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!counter_try_increment(&a->stats->queued, f->config->limits.queue)) {
        if ((*evicted = evict_for(a, f)) == NULL) {
            overloaded(f);
            return SCHEDULED_REJECTED;
        }
        counter_add(&a->stats->queued, 1);
    }
    line_up(a, f);
    return SCHEDULED_QUEUED;
}

static enum scheduled
arrive(struct scheduler *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!origin_queue_try_admit(f->ticket.queue, f))
        return SCHEDULED_REJECTED;
    if (f->ticket.queue->queued > 0 || !take_places(a, f))
        return enqueue(a, f, evicted);
    origin_queue_settle(f->ticket.queue);
    return SCHEDULED_NOW;
}

enum scheduled
scheduler_enqueue(struct scheduler *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    enum scheduled scheduled;

    *evicted = NULL;
    f->ticket.queue = origin_queue_get(&a->queues, f->session->state, f->url.origin);
    if (f->ticket.queue == NULL) {
        failure_no_memory(&f->failure);
        return SCHEDULED_REJECTED;
    }
    scheduled = arrive(a, f, evicted);
    if (scheduled == SCHEDULED_REJECTED) {
        origin_queue_record(f->ticket.queue, f, OUTCOME_IGNORED);
        origin_queue_settle(f->ticket.queue);
        f->ticket.queue = NULL;
    }
    return scheduled;
}

/* No place for anybody: no queue need be asked. */
static bool
is_full(struct scheduler *a)
{
    struct origin_queue *l = container_of(list_first(&a->ring), struct origin_queue, turn);
    int first = origin_queue_first(l)->config->limits.in_flight, now = *a->in_flight_max;

    /*
     * The first may wait under an older configuration's lower limit, and must not hold up the
     * others.
     */
    return a->stats->in_flight >= (first > now ? first : now);
}

struct curlew_fetch *
scheduler_next(struct scheduler *a)
{
    struct link *last = list_last(&a->ring), *turn = NULL;

    if (last == NULL || is_full(a))
        return NULL;
    while (turn != last) {
        struct origin_queue *l;
        struct curlew_fetch *f;

        turn = list_take(&a->ring);
        l = container_of(turn, struct origin_queue, turn);
        f = origin_queue_first(l);
        if (take_places(a, f)) {
            unqueue(a, f);
            queue_changed(a, l);
            return f;
        }
        queue_join(a, l);
    }
    return NULL;
}

void
scheduler_release(struct scheduler *a, struct curlew_fetch *f)
{
    struct origin_queue *l = f->ticket.queue;

    l->running--;
    a->stats->in_flight--; /* sequentially consistent: see worker_inbox_slot_freed() */
    f->session->state->in_flight--;
    f->ticket.queue = NULL;
    origin_queue_record(l, f, OUTCOME_IGNORED);
    queue_changed(a, l);
}

bool
scheduler_try_keep_slot(struct curlew_fetch *f)
{
    return strcmp(f->ticket.queue->origin->name, f->url.origin) == 0 &&
           !origin_queue_is_rejecting(f->ticket.queue) && take_token(f);
}

bool
scheduler_is_rejecting(const struct curlew_fetch *f)
{
    return origin_queue_is_rejecting(f->ticket.queue);
}

struct retry_budget *
scheduler_retry_budget(const struct curlew_fetch *f)
{
    return &f->ticket.queue->origin->budget;
}

void
scheduler_record_head(struct curlew_fetch *f)
{
    if (f->ticket.probe)
        scheduler_record_outcome(f);
}

bool
scheduler_record_outcome(struct curlew_fetch *f)
{
    enum circuit_breaker_outcome o = circuit_breaker_classify(&f->failure, f->response.head.status);

    if (fetch_proxy_failed(f))
        o = OUTCOME_IGNORED; /* one of several: it sits on the bench now */
    return origin_queue_record(f->ticket.queue, f, o);
}

struct curlew_fetch *
scheduler_reject_waiting(struct scheduler *a, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;
    struct curlew_fetch *victim;

    if (q->queued == 0)
        return NULL;
    victim = origin_queue_first(q);
    origin_queue_reject(q, victim);
    scheduler_withdraw(a, victim);
    return victim;
}

struct curlew_fetch *
scheduler_any_waiting(struct scheduler *a)
{
    struct origin_queue *l = origin_queue_longest(&a->queues);

    return l != NULL ? origin_queue_first(l) : NULL;
}
