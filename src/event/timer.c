/* timer.c - deadlines, the earliest first: a binary heap of embedded timers. */

#include "event/timer.h"

#include <stdlib.h>

#define FIRST_CAP 64

void
timer_heap_init(struct timer_heap *ts)
{
    *ts = (struct timer_heap){ 0 };
}

void
timer_heap_destroy(struct timer_heap *ts)
{
    free(ts->heap);
    timer_heap_init(ts);
}

void
timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){ .fire = fire };
}

static void
put(struct timer_heap *ts, size_t place, struct timer *t)
{
    ts->heap[place] = t;
    t->place = place;
}

static void
sift_up(struct timer_heap *ts, struct timer *t, size_t i)
{
    while (i > 1 && ts->heap[i / 2]->at_us > t->at_us) {
        put(ts, i, ts->heap[i / 2]);
        i /= 2;
    }
    put(ts, i, t);
}

static void
sift_down(struct timer_heap *ts, struct timer *t, size_t i)
{
    size_t child;

    while ((child = 2 * i) <= ts->count) {
        if (child < ts->count && ts->heap[child + 1]->at_us < ts->heap[child]->at_us)
            child++;
        if (ts->heap[child]->at_us >= t->at_us)
            break;
        put(ts, i, ts->heap[child]);
        i = child;
    }
    put(ts, i, t);
}

static void
settle(struct timer_heap *ts, struct timer *t, size_t i)
{
    sift_up(ts, t, i);
    sift_down(ts, t, t->place);
}

static int
make_room(struct timer_heap *ts)
{
    size_t cap = ts->cap ? ts->cap * 2 : FIRST_CAP;
    struct timer **heap;

    if (ts->count + 1 < ts->cap)
        return 0;
    if ((heap = realloc(ts->heap, cap * sizeof heap[0])) == NULL)
        return -1;
    ts->heap = heap;
    ts->cap = cap;
    return 0;
}

int
timer_set(struct timer_heap *ts, struct timer *t, int64_t at_us)
{
    if (t->place == 0) {
        if (make_room(ts) != 0)
            return -1;
        t->place = ++ts->count;
    }
    t->at_us = at_us;
    settle(ts, t, t->place);
    return 0;
}

void
timer_clear(struct timer_heap *ts, struct timer *t)
{
    struct timer *last;
    size_t hole = t->place;

    if (hole == 0)
        return;
    t->place = 0;
    last = ts->heap[ts->count--];
    if (last != t)
        settle(ts, last, hole);
}

int64_t
timer_heap_next(const struct timer_heap *ts)
{
    return ts->count == 0 ? INT64_MAX : ts->heap[1]->at_us;
}

void
timer_heap_fire(struct timer_heap *ts, int64_t now_us)
{
    while (ts->count > 0 && ts->heap[1]->at_us <= now_us) {
        struct timer *t = ts->heap[1];

        timer_clear(ts, t);
        t->fire(t);
    }
}
