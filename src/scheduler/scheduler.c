/* scheduler.c - which fetch may start: limits, bounded queues, round robin over the origins. */

#include "scheduler/scheduler.h"

#include "fetch/deadline.h"
#include "util/clock.h"

#include <string.h>

static void on_queue_due(struct timer *t);

void
scheduler_init(struct scheduler *s, struct engine_stats *stats, const atomic_int *in_flight_max,
               struct timer_heap *timers)
{
    *s = (struct scheduler){ .stats = stats, .in_flight_max = in_flight_max };
    origin_queue_init_all(&s->queues, stats, timers, on_queue_due);
    list_init(&s->ring);
}

void
scheduler_destroy(struct scheduler *s)
{
    origin_queue_destroy_all(&s->queues);
}

/* -- slots --------------------------------------------------------------- */

static bool
try_take_token(struct curlew_fetch *f)
{
    const struct rate_limit *limit = &f->session->settings.rate_limit;

    return limit->rate <= 0 || token_bucket_try_take(&f->ticket.queue->bucket, limit, clock_us());
}

static bool
try_take_slot(struct scheduler *s, struct curlew_fetch *f)
{
    const struct session_config *config = &f->session->settings;

    if (f->ticket.queue->running >= config->max_per_origin)
        return false;
    if (!counter_try_increment(&s->stats->in_flight, f->config->limits.in_flight))
        return false;
    if (!counter_try_increment(&f->session->state->in_flight, config->max_in_flight))
        goto no_slot;
    if (!try_take_token(f))
        goto no_token;
    origin_queue_add(f->ticket.queue, 0, 1);
    return true;

no_token:
    counter_add(&f->session->state->in_flight, -1);
no_slot:
    counter_add(&s->stats->in_flight, -1);
    return false;
}

/* When a queue can take a turn: 0: now; INT64_MAX: not before its counts have changed. */
static int64_t
queue_due_at(struct origin_queue *q)
{
    const struct session_config *config;

    if (q->breaker.state == CIRCUIT_OPEN)
        return q->breaker.next_us;
    if (q->queued == 0)
        return INT64_MAX;
    config = &origin_queue_first(q)->session->settings;
    if (q->running >= config->max_per_origin)
        return INT64_MAX;
    return config->rate_limit.rate > 0 ? origin_queue_token_at(q) : 0;
}

/*
 * A queue is in the ring exactly while fetches wait in it, it is below its own limit and has a
 * token; one that is in it keeps its turn.  A timer brings back a queue that only has to wait.
 */
static void
update_ring(struct scheduler *s, struct origin_queue *q)
{
    int64_t at = queue_due_at(q);
    bool joins = at == 0;

    timer_clear(s->queues.timers, &q->due);
    if (!joins && at != INT64_MAX)
        timer_set(s->queues.timers, &q->due, at);
    if (!joins)
        list_remove(&q->turn);
    else if (list_empty(&q->turn))
        list_append(&s->ring, &q->turn);
}

/* Its counts have changed. May free q. */
static void
queue_changed(struct scheduler *s, struct origin_queue *q)
{
    update_ring(s, q);
    origin_queue_counts_changed(q);
}

/* Fetches that can start do so at the end of the thread's turn. */
static void
on_queue_due(struct timer *t)
{
    struct origin_queue *q = container_of(t, struct origin_queue, due);

    origin_queue_tick(q);
    update_ring(container_of(q->all, struct scheduler, queues), q);
}

/* -- the queue ----------------------------------------------------------- */

static void
remove_from_queue(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;

    if (q->last_hop == &f->ticket.link)
        q->last_hop = f->ticket.link.prev;
    list_remove(&f->ticket.link);
    origin_queue_add(q, -1, 0);
    counter_add(&s->stats->queued, -1);
}

static int
fail_overloaded(struct curlew_fetch *f)
{
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "limits.queue: %d fetches are waiting already", f->config->limits.queue);
}

void
scheduler_withdraw(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;

    remove_from_queue(s, f);
    f->ticket.queue = NULL;
    origin_queue_record(q, f, OUTCOME_IGNORED);
    queue_changed(s, q);
}

/* The newest of the longest queue makes room, if that is more than one longer than f's own. */
static struct curlew_fetch *
evict_for(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *longest = origin_queue_longest(&s->queues);
    struct curlew_fetch *victim;

    if (longest == NULL || longest->queued <= f->ticket.queue->queued + 1)
        return NULL;
    victim = container_of(list_last(&longest->queue), struct curlew_fetch, ticket.link);
    scheduler_withdraw(s, victim);
    fail_overloaded(victim);
    return victim;
}

/* A fetch that had a slot at an earlier hop goes before those that never had one. */
static void
append(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;

    if (f->redirects > 0) {
        list_append(q->last_hop->next, &f->ticket.link);
        q->last_hop = &f->ticket.link;
    } else {
        list_append(&q->queue, &f->ticket.link);
    }
    origin_queue_add(q, 1, 0);
    queue_changed(s, q);
}

static enum scheduled
queue_up(struct scheduler *s, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!counter_try_increment(&s->stats->queued, f->config->limits.queue)) {
        if ((*evicted = evict_for(s, f)) == NULL) {
            fail_overloaded(f);
            return SCHEDULED_REJECTED;
        }
        counter_add(&s->stats->queued, 1);
    }
    append(s, f);
    return SCHEDULED_QUEUED;
}

static enum scheduled
admit(struct scheduler *s, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!origin_queue_try_admit(f->ticket.queue, f))
        return SCHEDULED_REJECTED;
    if (f->ticket.queue->queued > 0 || !try_take_slot(s, f))
        return queue_up(s, f, evicted);
    origin_queue_counts_changed(f->ticket.queue);
    return SCHEDULED_NOW;
}

enum scheduled
scheduler_enqueue(struct scheduler *s, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    enum scheduled scheduled;

    *evicted = NULL;
    f->ticket.queue = origin_queue_get(&s->queues, f->session->state, f->url.origin);
    if (f->ticket.queue == NULL) {
        failure_no_memory(&f->failure);
        return SCHEDULED_REJECTED;
    }
    scheduled = admit(s, f, evicted);
    if (scheduled == SCHEDULED_REJECTED) {
        origin_queue_record(f->ticket.queue, f, OUTCOME_IGNORED);
        origin_queue_counts_changed(f->ticket.queue);
        f->ticket.queue = NULL;
    }
    return scheduled;
}

/* There is no slot for any queue. */
static bool
is_full(const struct scheduler *s)
{
    const struct origin_queue *q = container_of(s->ring.next, struct origin_queue, turn);
    int first = origin_queue_first(q)->config->limits.in_flight, now = *s->in_flight_max;

    /* The first may have an older configuration's lower limit, and must not delay the others. */
    return s->stats->in_flight >= (first > now ? first : now);
}

struct curlew_fetch *
scheduler_next(struct scheduler *s)
{
    struct link *last = list_last(&s->ring), *turn = NULL;

    if (last == NULL || is_full(s))
        return NULL;
    while (turn != last) {
        struct origin_queue *q;
        struct curlew_fetch *f;

        turn = list_take(&s->ring);
        q = container_of(turn, struct origin_queue, turn);
        f = origin_queue_first(q);
        if (try_take_slot(s, f)) {
            remove_from_queue(s, f);
            queue_changed(s, q);
            return f;
        }
        update_ring(s, q);
    }
    return NULL;
}

void
scheduler_release(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;

    origin_queue_add(q, 0, -1);
    s->stats->in_flight--; /* sequentially consistent: see worker_inbox_slot_freed() */
    f->session->state->in_flight--;
    f->ticket.queue = NULL;
    origin_queue_record(q, f, OUTCOME_IGNORED);
    queue_changed(s, q);
}

bool
scheduler_try_keep_slot(struct curlew_fetch *f)
{
    return strcmp(f->ticket.queue->origin->name, f->url.origin) == 0 &&
           !origin_queue_is_rejecting(f->ticket.queue) && try_take_token(f);
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
scheduler_count_hop(const struct curlew_fetch *f)
{
    enum error error = f->failure.error;

    origin_queue_count_hop(f->ticket.queue, error != ERROR_NONE && error != ERROR_CANCELLED,
                           f->started_us);
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

    /* One of several proxies, which cools down now; or it was the caller who was silent. */
    if (fetch_proxy_failed(f) || deadline_is_callers(f))
        o = OUTCOME_IGNORED;
    return origin_queue_record(f->ticket.queue, f, o);
}

struct curlew_fetch *
scheduler_reject_waiting(struct scheduler *s, struct curlew_fetch *f)
{
    struct origin_queue *q = f->ticket.queue;
    struct curlew_fetch *victim;

    if (q->queued == 0)
        return NULL;
    victim = origin_queue_first(q);
    origin_queue_reject(q, victim);
    scheduler_withdraw(s, victim);
    return victim;
}

struct curlew_fetch *
scheduler_any_waiting(struct scheduler *s)
{
    struct origin_queue *q = origin_queue_longest(&s->queues);

    return q != NULL ? origin_queue_first(q) : NULL;
}
