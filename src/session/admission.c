/* admission.c - whose turn it is: limits, bounded queues, and a fair turn for each origin. */

#include "session/admission.h"

#include "session/engine.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_LANES_MAX 1024 /* lanes without a fetch that are kept for the next one */

struct lane {
    struct lane *next; /* in its bucket */
    struct link turn;  /* in the ring */
    struct link queue; /* waiting fetches, oldest first */
    int queued, running;
    const struct session_state *session; /* only compared: a fetch of the lane keeps it alive */
    char origin[];
};

void
admission_init(struct admission *a, struct curlew *engine)
{
    *a = (struct admission){ .engine = engine };
    list_init(&a->ring);
}

void
admission_destroy(struct admission *a)
{
    for (size_t i = 0; i < ADMISSION_BUCKETS; i++)
        for (struct lane *l = a->buckets[i], *next; l != NULL; l = next) {
            next = l->next;
            free(l);
        }
}

/* -- lanes --------------------------------------------------------------- */

static size_t
bucket_of(const struct session_state *session, const char *origin)
{
    uint64_t h = 14695981039346656037u ^ (uintptr_t)session; /* FNV-1a */

    for (; *origin != '\0'; origin++)
        h = (h ^ (unsigned char)*origin) * 1099511628211u;
    return (h ^ (h >> 32)) % ADMISSION_BUCKETS;
}

static struct lane *
lane_new(struct admission *a, const struct session_state *session, const char *origin)
{
    size_t n = strlen(origin) + 1, i = bucket_of(session, origin);
    struct lane *l = calloc(1, sizeof *l + n);

    if (l == NULL)
        return NULL;
    memcpy(l->origin, origin, n);
    l->session = session;
    list_init(&l->turn);
    list_init(&l->queue);
    l->next = a->buckets[i];
    a->buckets[i] = l;
    a->lane_count++;
    return l;
}

static struct lane *
lane_of(struct admission *a, const struct session_state *session, const char *origin)
{
    struct lane *l = a->buckets[bucket_of(session, origin)];

    while (l != NULL && (l->session != session || strcmp(l->origin, origin) != 0))
        l = l->next;
    return l != NULL ? l : lane_new(a, session, origin);
}

/* A lane nobody uses is kept for the next fetch, unless there are many of them. */
static void
lane_settle(struct admission *a, struct lane *l)
{
    struct lane **at;

    if (l->queued > 0 || l->running > 0 || a->lane_count <= IDLE_LANES_MAX)
        return;
    at = &a->buckets[bucket_of(l->session, l->origin)];
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    a->lane_count--;
    free(l);
}

/* -- places -------------------------------------------------------------- */

/* One more, unless that would be more than `most`. */
static bool
take_place(counter *c, int64_t most)
{
    int64_t n = *c;

    /* Not add and take back: another thread could be refused by a place that nobody takes. */
    while (n < most)
        if (atomic_compare_exchange_weak(c, &n, n + 1))
            return true;
    return false;
}

static bool
take_places(struct admission *a, struct curlew_fetch *f)
{
    const struct session_settings *s = &f->session->settings;

    if (f->lane->running >= s->max_per_origin)
        return false;
    if (!take_place(&a->engine->stats.in_flight, f->policy->limits.in_flight))
        return false;
    if (!take_place(&f->session->state->in_flight, s->max_in_flight)) {
        counter_add(&a->engine->stats.in_flight, -1);
        return false;
    }
    f->lane->running++;
    return true;
}

static struct curlew_fetch *
lane_first(struct lane *l)
{
    return container_of(l->queue.next, struct curlew_fetch, place);
}

/* In the ring exactly while it waits and is below its own limit; one that is in it keeps its turn. */
static void
lane_join(struct admission *a, struct lane *l)
{
    if (l->queued == 0 || l->running >= lane_first(l)->session->settings.max_per_origin)
        list_remove(&l->turn);
    else if (list_empty(&l->turn))
        list_append(&a->ring, &l->turn);
}

/* -- the queue ----------------------------------------------------------- */

static void
unqueue(struct admission *a, struct curlew_fetch *f)
{
    list_remove(&f->place);
    f->lane->queued--;
    counter_add(&a->engine->stats.queued, -1);
}

static struct lane *
longest_lane(struct admission *a)
{
    struct lane *longest = NULL;

    for (size_t i = 0; i < ADMISSION_BUCKETS; i++)
        for (struct lane *l = a->buckets[i]; l != NULL; l = l->next)
            if (longest == NULL || l->queued > longest->queued)
                longest = l;
    return longest;
}

static int
overloaded(struct curlew_fetch *f)
{
    return failure_set(&f->failure, ERROR_OVERLOADED,
                       "limits.queue: %d fetches are waiting already", f->policy->limits.queue);
}

/* The newest of the longest lane makes room, if that is more than one longer than f's own. */
static struct curlew_fetch *
evict_for(struct admission *a, struct curlew_fetch *f)
{
    struct lane *longest = longest_lane(a);
    struct curlew_fetch *victim;

    if (longest == NULL || longest->queued <= f->lane->queued + 1)
        return NULL;
    victim = container_of(list_last(&longest->queue), struct curlew_fetch, place);
    unqueue(a, victim);
    lane_join(a, longest);
    overloaded(victim);
    return victim;
}

static enum admitted
enqueue(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    if (!take_place(&a->engine->stats.queued, f->policy->limits.queue)) {
        if ((*evicted = evict_for(a, f)) == NULL) {
            overloaded(f);
            lane_settle(a, f->lane);
            return ADMITTED_NEVER;
        }
        counter_add(&a->engine->stats.queued, 1);
    }
    list_append(&f->lane->queue, &f->place);
    f->lane->queued++;
    lane_join(a, f->lane);
    return ADMITTED_LATER;
}

enum admitted
admission_arrive(struct admission *a, struct curlew_fetch *f, struct curlew_fetch **evicted)
{
    *evicted = NULL;
    f->lane = lane_of(a, f->session->state, f->url.origin);
    if (f->lane == NULL) {
        failure_set(&f->failure, ERROR_INTERNAL, "out of memory");
        return ADMITTED_NEVER;
    }
    if (f->lane->queued == 0 && take_places(a, f))
        return ADMITTED_NOW;
    return enqueue(a, f, evicted);
}

/* No place for anybody: no lane need be asked. */
static bool
is_full(struct admission *a)
{
    struct lane *l = container_of(list_first(&a->ring), struct lane, turn);
    int first = lane_first(l)->policy->limits.in_flight, now = a->engine->in_flight_max;

    /* The first may wait under an older policy's lower limit, and must not hold up the others. */
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
            lane_join(a, l);
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
    lane_join(a, l);
    lane_settle(a, l);
}

void
admission_withdraw(struct admission *a, struct curlew_fetch *f)
{
    struct lane *l = f->lane;

    unqueue(a, f);
    f->lane = NULL;
    lane_join(a, l);
    lane_settle(a, l);
}

bool
admission_fits(const struct curlew_fetch *f)
{
    return strcmp(f->lane->origin, f->url.origin) == 0;
}

struct curlew_fetch *
admission_waiting(struct admission *a)
{
    struct lane *l = longest_lane(a);

    return l != NULL && l->queued > 0 ? lane_first(l) : NULL;
}
