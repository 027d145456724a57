/* busy_origins.c - the busiest origins, and those with an open circuit breaker, for the status. */

#include "scheduler/busy_origins.h"

#include "util/clock.h"

#include <stdio.h>
#include <string.h>

/* Where one of this rank belongs; BUSY_ORIGINS_MAX: nowhere. */
static int
place_of(const struct busy_origin_list *l, int64_t rank)
{
    int i = l->count;

    while (i > 0 && l->origins[i - 1].rank < rank)
        i--;
    return i;
}

static void
describe(struct busy_origin *b, const struct origin *o, int64_t rank, double since_mark)
{
    const struct origin_figures *f = &o->figures;

    *b = (struct busy_origin){ .rank = rank,
                               .in_flight = counter_read(&f->in_flight),
                               .queued = counter_read(&f->queued),
                               .breakers_open = counter_read(&f->breakers_open),
                               .hops = counter_read(&f->hops),
                               .failures = counter_read(&f->failures),
                               .seconds = (double)counter_read(&f->us) / US_PER_SECOND };
    if (since_mark > 0)
        b->per_second = (double)(b->hops - o->older_mark) / since_mark;
    snprintf(b->name, sizeof b->name, "%s", o->name);
}

static void
insert(struct busy_origin_list *l, const struct origin *o, int64_t rank, double since_mark)
{
    int at = place_of(l, rank);

    if (at == BUSY_ORIGINS_MAX)
        return;
    if (l->count < BUSY_ORIGINS_MAX)
        l->count++;
    memmove(&l->origins[at + 1], &l->origins[at],
            (size_t)(l->count - at - 1) * sizeof l->origins[0]);
    describe(&l->origins[at], o, rank, since_mark);
}

static void
add(struct busy_origins *b, const struct origin *o, double since_mark)
{
    const struct origin_figures *f = &o->figures;
    int64_t lately = counter_read(&f->hops) - o->older_mark;

    b->known++;
    insert(&b->busiest, o, lately + counter_read(&f->in_flight) + counter_read(&f->queued),
           since_mark);
    if (counter_read(&f->breakers_open) > 0)
        insert(&b->open, o, lately + 1, since_mark);
}

static void
mark(struct origin *o)
{
    o->older_mark = o->mark;
    o->mark = counter_read(&o->figures.hops);
}

void
busy_origins_add(struct busy_origins *b, struct origin_queues *all)
{
    int64_t now = clock_us();
    bool marks;
    double since_mark;

    pthread_mutex_lock(&all->lock);
    since_mark = (double)(now - all->older_mark_us) / US_PER_SECOND;
    marks = now - all->mark_us >= BUSY_ORIGINS_MARK_US;
    for (size_t i = 0; i < ORIGIN_QUEUE_BUCKETS; i++)
        for (struct origin *o = all->buckets[i]; o != NULL; o = o->next) {
            add(b, o, since_mark);
            if (marks)
                mark(o);
        }
    if (marks) {
        all->older_mark_us = all->mark_us;
        all->mark_us = now;
    }
    pthread_mutex_unlock(&all->lock);
}
