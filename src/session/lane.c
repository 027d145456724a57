/* lane.c - lanes: one session's fetches toward one origin, and what is remembered of both. */

#include "session/lane.h"

#include "session/engine.h"
#include "util/clock.h"
#include "util/hash.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP 2 /* idle lanes looked at when one more becomes idle: they cannot pile up */

void
lanes_init(struct lanes *ls, struct curlew *engine, struct timer_heap *timers,
           void (*on_due)(struct timer *t))
{
    *ls = (struct lanes){ .engine = engine, .timers = timers, .on_due = on_due };
    list_init(&ls->waiting);
    list_init(&ls->idle);
}

/* -- sites ----------------------------------------------------------------- */

static struct site **
bucket_of(struct lanes *ls, const char *origin)
{
    return &ls->buckets[hash_bucket(hash_text(HASH_START, origin), LANES_BUCKETS)];
}

static struct site *
site_of(struct lanes *ls, const char *name)
{
    struct site **bucket = bucket_of(ls, name), *s = *bucket;
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
site_settle(struct lanes *ls, struct site *s)
{
    struct site **at = bucket_of(ls, s->name);

    if (s->lanes != NULL)
        return;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

/* -- lanes ----------------------------------------------------------------- */

static struct lane *
lane_new(struct lanes *ls, struct site *s, uint64_t session)
{
    struct lane *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->home = ls;
    l->site = s;
    l->session = session;
    list_init(&l->turn);
    list_init(&l->shelf);
    list_init(&l->queue);
    timer_init(&l->due, ls->on_due);
    ls->count++;
    return l;
}

struct lane *
lane_of(struct lanes *ls, const struct session_state *session, const char *origin)
{
    struct site *s = site_of(ls, origin);
    struct lane **at, *l;

    if (s == NULL)
        return NULL;
    for (at = &s->lanes; (l = *at) != NULL && l->session != session->id; at = &l->next)
        ;
    if (l != NULL)
        *at = l->next;
    else if ((l = lane_new(ls, s, session->id)) == NULL) {
        site_settle(ls, s);
        return NULL;
    }
    l->next = s->lanes;
    s->lanes = l;
    return l;
}

/* The gauges of the breakers' states follow every change of one. */
static void
note_state(struct lane *l, enum circuit_breaker_state before)
{
    struct engine_stats *s = &l->home->engine->stats;
    enum circuit_breaker_state now = l->breaker.state;

    if (now == before)
        return;
    counter_add(&s->breakers[before], -1);
    counter_add(&s->breakers[now], 1);
    if (now == CIRCUIT_OPEN)
        counter_add(&s->breakers_opened, 1);
}

static void
lane_free(struct lane *l)
{
    struct lane **at = &l->site->lanes;
    enum circuit_breaker_state before = l->breaker.state;

    l->breaker.state = CIRCUIT_OFF;
    note_state(l, before);
    timer_clear(l->home->timers, &l->due);
    list_remove(&l->shelf);
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->home->count--;
    site_settle(l->home, l->site);
    free(l);
}

void
lanes_destroy(struct lanes *ls)
{
    for (size_t i = 0; i < LANES_BUCKETS; i++)
        while (ls->buckets[i] != NULL)
            lane_free(ls->buckets[i]->lanes); /* the last one takes the origin along */
}

static bool
remembers(const struct lane *l, int64_t now_us)
{
    return !token_bucket_is_full(&l->bucket, now_us) ||
           !circuit_breaker_is_idle(&l->breaker, now_us) ||
           !retry_budget_is_idle(&l->site->budget, now_us);
}

static void
sweep(struct lanes *ls)
{
    int64_t now = clock_us();

    for (int i = 0; i < SWEEP && ls->count > LANES_IDLE_MAX && !list_empty(&ls->idle); i++) {
        struct lane *l = container_of(list_take(&ls->idle), struct lane, shelf);

        if (ls->count > LANES_MAX || !remembers(l, now))
            lane_free(l);
        else
            list_append(&ls->idle, &l->shelf);
    }
}

void
lane_settle(struct lane *l)
{
    struct lanes *ls = l->home;

    list_remove(&l->shelf);
    if (l->queued > 0)
        list_append(&ls->waiting, &l->shelf);
    if (l->queued > 0 || l->running > 0)
        return;
    list_append(&ls->idle, &l->shelf);
    if (ls->count > LANES_IDLE_MAX)
        sweep(ls);
}

/* -- the queue ------------------------------------------------------------- */

struct curlew_fetch *
lane_first(struct lane *l)
{
    return container_of(l->queue.next, struct curlew_fetch, place);
}

struct lane *
lanes_longest(struct lanes *ls)
{
    struct lane *longest = NULL;

    for (struct link *at = ls->waiting.next; at != &ls->waiting; at = at->next) {
        struct lane *l = container_of(at, struct lane, shelf);

        if (longest == NULL || l->queued > longest->queued)
            longest = l;
    }
    return longest;
}

int64_t
lane_token_at(struct lane *l)
{
    const struct rate_limit *p = &lane_first(l)->session->settings.rate_limit;
    int64_t now = clock_us(), at = token_bucket_ready_at(&l->bucket, p, now);

    return at > now ? at : 0;
}

/* -- the breaker ----------------------------------------------------------- */

void
lane_refuse(struct lane *l, struct curlew_fetch *f)
{
    const struct circuit_breaker *b = &l->breaker;

    failure_set(&f->failure, ERROR_ORIGIN_UNAVAILABLE,
                "%s keeps failing: the session's breaker is %s", l->site->name,
                b->state == CIRCUIT_OPEN ? "open" : "half-open, and waits for its probe");
    f->failure.retry_after = circuit_breaker_retry_after(b, clock_us());
}

bool
lane_admits(struct lane *l, struct curlew_fetch *f)
{
    const struct circuit_breaker_config *s = &f->session->settings.breaker;
    enum circuit_breaker_state before = l->breaker.state;
    bool admits;

    if (s->failures == 0 && before == CIRCUIT_OFF)
        return true;
    admits = circuit_breaker_try_pass(&l->breaker, s, clock_us(), &f->probe);
    note_state(l, before);
    if (!admits)
        lane_refuse(l, f);
    return admits;
}

bool
lane_is_shut(const struct lane *l)
{
    return l->breaker.state == CIRCUIT_OPEN || l->breaker.state == CIRCUIT_HALF_OPEN;
}

void
lane_tick(struct lane *l)
{
    enum circuit_breaker_state before = l->breaker.state;

    circuit_breaker_tick(&l->breaker, clock_us());
    note_state(l, before);
}

bool
lane_note(struct lane *l, struct curlew_fetch *f, enum circuit_breaker_outcome outcome)
{
    enum circuit_breaker_state before = l->breaker.state;
    bool probe = f->probe, opened;

    f->probe = false;
    if (before == CIRCUIT_OFF || (outcome == OUTCOME_IGNORED && !probe))
        return false;
    opened = circuit_breaker_record(&l->breaker, &f->session->settings.breaker, outcome, probe,
                                    clock_us());
    note_state(l, before);
    return opened;
}
