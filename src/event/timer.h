/*
 * timer.h - deadlines, the earliest first: a heap of embedded timers.
 *
 * For one thread only.  Setting a timer that is set moves it, and setting one never fails, as
 * nothing is allocated.  A timer that fires is no longer set, so its handler may set it again or
 * free its owner.
 */
#ifndef EVENT_TIMER_H
#define EVENT_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_us; /* on clock_us()'s clock */
    bool set;
    struct timer *first;          /* of those below it */
    struct timer *before, *after; /* beside it; before the first of a row: the one above */
    void (*fire)(struct timer *t);
};

struct timer_heap {
    struct timer *root; /* the earliest */
};

void timer_heap_init(struct timer_heap *ts);

void timer_init(struct timer *t, void (*fire)(struct timer *t));

void timer_set(struct timer_heap *ts, struct timer *t, int64_t at_us);

void timer_clear(struct timer_heap *ts, struct timer *t);

bool timer_is_set(const struct timer *t);

/* The earliest at_us; INT64_MAX: none is set. */
int64_t timer_heap_next(const struct timer_heap *ts);

void timer_heap_fire(struct timer_heap *ts, int64_t now_us);

#endif
