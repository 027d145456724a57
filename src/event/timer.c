/*
 * timer.c - deadlines, the earliest first: a pairing heap of embedded timers.
 *
 * A tree in which no timer is earlier than its parent.  Fredman, Sedgewick, Sleator, Tarjan: The
 * pairing heap: a new form of self-adjusting heap, Algorithmica 1 (1986).
 */

#include "event/timer.h"

void
timer_heap_init(struct timer_heap *ts)
{
    *ts = (struct timer_heap){ 0 };
}

void
timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){ .fire = fire };
}

bool
timer_is_set(const struct timer *t)
{
    return t->set;
}

/* -- trees ------------------------------------------------------------------ */

/* Two trees become one; either may be empty. */
static struct timer *
meld(struct timer *a, struct timer *b)
{
    struct timer *root = a, *child = b;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (b->at_us < a->at_us) {
        root = b;
        child = a;
    }
    child->before = root;
    child->after = root->first;
    if (root->first != NULL)
        root->first->before = child;
    root->first = child;
    return root;
}

static struct timer *
take_first(struct timer **trees)
{
    struct timer *t = *trees;

    if (t == NULL)
        return NULL;
    *trees = t->after;
    t->before = t->after = NULL;
    return t;
}

/* A row of trees becomes one: in pairs from left to right, then these from right to left. */
static struct timer *
meld_all(struct timer *trees)
{
    struct timer *pairs = NULL, *all = NULL, *t;

    while ((t = take_first(&trees)) != NULL) {
        t = meld(t, take_first(&trees));
        t->after = pairs;
        pairs = t;
    }
    while ((t = take_first(&pairs)) != NULL)
        all = meld(all, t);
    return all;
}

/* With what is below it. */
static void
detach(struct timer *t)
{
    if (t->before->first == t)
        t->before->first = t->after;
    else
        t->before->after = t->after;
    if (t->after != NULL)
        t->after->before = t->before;
    t->before = t->after = NULL;
}

/* -- timers ----------------------------------------------------------------- */

void
timer_set(struct timer_heap *ts, struct timer *t, int64_t at_us)
{
    timer_clear(ts, t);
    t->at_us = at_us;
    t->set = true;
    ts->root = meld(ts->root, t);
}

void
timer_clear(struct timer_heap *ts, struct timer *t)
{
    struct timer *below;

    if (!t->set)
        return;
    below = meld_all(t->first);
    t->first = NULL;
    t->set = false;
    if (ts->root == t) {
        ts->root = below;
    } else {
        detach(t);
        ts->root = meld(ts->root, below);
    }
}

int64_t
timer_heap_next(const struct timer_heap *ts)
{
    return ts->root == NULL ? INT64_MAX : ts->root->at_us;
}

void
timer_heap_fire(struct timer_heap *ts, int64_t now_us)
{
    while (ts->root != NULL && ts->root->at_us <= now_us) {
        struct timer *t = ts->root;

        timer_clear(ts, t);
        t->fire(t);
    }
}
