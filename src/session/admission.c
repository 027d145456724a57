/* admission.c - whose turn it is: limits, bounded queues, and a fair turn for each origin. */

#include "session/admission.h"

#include "session/engine.h"
#include "util/clock.h"

#include <string.h>

static void lane_is_due(struct timer *t);

void
admission_init(struct admission *a, struct curlew *engine, struct timer_heap *timers)
{
    *a = (struct admission){ .engine = engine };
    lanes_init(&a->lanes, engine, timers, lane_is_due);
    list_init(&a->ring);
}

void
admission_destroy(struct admission *a)
{
    lanes_destroy(&a->lanes);
}

/* -- places -------------------------------------------------------------- */

static bool
take_token(struct curlew_fetch *f)
{
    const struct rate_limit *p = &f->session->settings.rate_limit;

    return p->rate <= 0 || token_bucket_try_take(&f->lane->bucket, p, clock_us());
}

static bool
take_places(struct admission *a, struct curlew_fetch *f)
{
    const struct session_config *s = &f->session->settings;

    if (f->lane->running >= s->max_per_origin)
        return false;
    if (!counter_try_increment(&a->engine->stats.in_flight, f->config->limits.in_flight))
        return false;
    if (!counter_try_increment(&f->session->state->in_flight, s->max_in_flight))
        goto no_place;
    if (!take_token(f))
        goto no_token;
    f->lane->running++;
    return true;

no_token:
    counter_add(&f->session->state->in_flight, -1);
no_place:
    counter_add(&a->engine->stats.in_flight, -1);
    return false;
}

/* When a lane can take a turn: 0, now; INT64_MAX, as soon as something else has happened. */
static int64_t
lane_due_at(struct lane *l)
{
    const struct session_config *s;

    if (l->breaker.state == CIRCUIT_OPEN)
        return l->breaker.next_us;
    if (l->queued == 0)
        return INT64_MAX;
    s = &lane_first(l)->session->settings;
    if (l->running >= s->max_per_origin)
        return INT64_MAX;
    return s->rate_limit.rate > 0 ? lane_token_at(l) : 0;
}

/*
 * In the ring exactly while it waits, is below its own limit and has a token; one that is in it
 * keeps its turn.  A timer brings back a lane that nothing but time keeps out of it.
 */
static void
lane_join(struct admission *a, struct lane *l)
{
    int64_t at = lane_due_at(l);
    bool joins = at == 0;

    timer_clear(a->lanes.timers, &l->due);
    if (!joins && at != INT64_MAX && timer_set(a->lanes.timers, &l->due, at) != 0)
        joins = l->queued > 0; /* no memory: then it is asked again and again */
    if (!joins)
        list_remove(&l->turn);
    else if (list_empty(&l->turn))
        list_append(&a->ring, &l->turn);
}

/* Its counts, or its queue: l may be gone after it. */
static void
lane_changed(struct admission *a, struct lane *l)
{
    lane_join(a, l);
    lane_settle(l);
}

/* Whoever can start does so when the thread's turn ends. */
static void
lane_is_due(struct timer *t)
{
    struct lane *l = container_of(t, struct lane, due);

    lane_tick(l);
    lane_join(container_of(l->home, struct admission, lanes), l);
}

/* -- the queue ----------------------------------------------------------- */

static void
unqueue(struct admission *a, struct curlew_fetch *f)
{
    list_remove(&f->place);
    f->lane->queued--;
    counter_add(&a->engine->stats.queued, -1);
}

static int
overloaded(struct curlew_fetch *f)
{
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "limits.queue: %d fetches are waiting already", f->config->limits.queue);
}

void
admission_withdraw(struct admission *a, struct curlew_fetch *f)
{
    struct lane *l = f->lane;

    unqueue(a, f);
    f->lane = NULL;
    lane_note(l, f, OUTCOME_IGNORED);
    lane_changed(a, l);
}

/* The newest of the longest lane makes room, if that is more than one longer than f's own. */
static struct curlew_fetch *
evict_for(struct admission *a, struct curlew_fetch *f)
{
    struct lane *longest = lanes_longest(&a->lanes);
    struct curlew_fetch *victim;

    if (longest == NULL || longest->queued <= f->lane->queued + 1)
        return NULL;
    victim = container_of(list_last(&longest->queue), struct curlew_fetch, place);
    admission_withdraw(a, victim);
    overloaded(victim);
    return victim;
}

/* One whose turn came at an earlier hop goes before those whose has not come yet. */
static void
line_up(struct admission *a, struct curlew_fetch *f)
{
    struct link *queue = &f->lane->queue;

    list_append(f->redirects > 0 ? queue->next : queue, &f->place);
    f->lane->queued++;
    lane_changed(a, f->lane);
}

static enum admitted
enqueue(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!counter_try_increment(&a->engine->stats.queued, f->config->limits.queue)) {
        if ((*evicted = evict_for(a, f)) == NULL) {
            overloaded(f);
            return ADMITTED_NEVER;
        }
        counter_add(&a->engine->stats.queued, 1);
    }
    line_up(a, f);
    return ADMITTED_LATER;
}

static enum admitted
arrive(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!lane_admits(f->lane, f))
        return ADMITTED_NEVER;
    if (f->lane->queued > 0 || !take_places(a, f))
        return enqueue(a, f, evicted);
    lane_settle(f->lane);
    return ADMITTED_NOW;
}

enum admitted
admission_arrive(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    enum admitted admitted;

    *evicted = NULL;
    f->lane = lane_of(&a->lanes, f->session->state, f->url.origin);
    if (f->lane == NULL) {
        failure_no_memory(&f->failure);
        return ADMITTED_NEVER;
    }
    admitted = arrive(a, f, evicted);
    if (admitted == ADMITTED_NEVER) {
        lane_note(f->lane, f, OUTCOME_IGNORED);
        lane_settle(f->lane);
        f->lane = NULL;
    }
    return admitted;
}

/* No place for anybody: no lane need be asked. */
static bool
is_full(struct admission *a)
{
    struct lane *l = container_of(list_first(&a->ring), struct lane, turn);
    int first = lane_first(l)->config->limits.in_flight, now = a->engine->in_flight_max;

    /* The first may wait under an older configuration's lower limit, and must not hold up the others. */
    return a->engine->stats.in_flight >= (first > now ? first : now);
}

struct curlew_fetch *
admission_next(struct admission *a)
{
    struct link *last = list_last(&a->ring), *turn = NULL;

    if (last == NULL || is_full(a))
        return NULL;
    while (turn != last) {
        struct lane *l;
        struct curlew_fetch *f;

        turn = list_take(&a->ring);
        l = container_of(turn, struct lane, turn);
        f = lane_first(l);
        if (take_places(a, f)) {
            unqueue(a, f);
            lane_changed(a, l);
            return f;
        }
        lane_join(a, l);
    }
    return NULL;
}

void
admission_leave(struct admission *a, struct curlew_fetch *f)
{
    struct lane *l = f->lane;

    l->running--;
    a->engine->stats.in_flight--; /* sequentially consistent: see engine_place_freed() */
    f->session->state->in_flight--;
    f->lane = NULL;
    lane_note(l, f, OUTCOME_IGNORED);
    lane_changed(a, l);
}

bool
admission_stays(struct curlew_fetch *f)
{
    return strcmp(f->lane->site->name, f->url.origin) == 0 && !lane_is_shut(f->lane) &&
           take_token(f);
}

bool
admission_note(struct curlew_fetch *f)
{
    enum circuit_breaker_outcome o = circuit_breaker_classify(&f->failure, f->response.head.status);

    if (fetch_proxy_failed(f))
        o = OUTCOME_IGNORED; /* one of several: it sits on the bench now */
    return lane_note(f->lane, f, o);
}

struct curlew_fetch *
admission_turn_away(struct admission *a, struct lane *l)
{
    struct curlew_fetch *f;

    if (l->queued == 0)
        return NULL;
    f = lane_first(l);
    lane_refuse(l, f);
    admission_withdraw(a, f);
    return f;
}

struct curlew_fetch *
admission_waiting(struct admission *a)
{
    struct lane *l = lanes_longest(&a->lanes);

    return l != NULL ? lane_first(l) : NULL;
}
