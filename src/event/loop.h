/*
 * loop.h - one thread's event loop: sockets, deadlines, and a wake-up from other threads.
 *
 * Level-triggered epoll.  A watch is embedded in its owner and may be removed,
 * and its owner freed, from within any handler, its own too.  With nothing to
 * do the thread sleeps without a timeout.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include "event/timer.h"
#include "event/turn_watchdog.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define LOOP_BATCH 128 /* events taken from the kernel at once */

struct watch {
    int fd;
    void (*ready)(struct watch *w, uint32_t events); /* EPOLLIN, EPOLLOUT, … */
};

struct loop {
    int epoll_fd;
    struct watch wake;    /* an eventfd */
    atomic_bool woken;    /* loop_wake() was called since the thread last slept */
    atomic_bool sleeping; /* the thread sleeps, or is about to */
    struct timer_heap timers;
    int64_t now_us; /* when the thread last woke */
    struct turn_watchdog watchdog;
    struct epoll_event batch[LOOP_BATCH];
    int batch_next, batch_end; /* the part of the batch that is still to be handled */
    int full_batches;          /* in a row */
};

/* 0, or -1 with errno. */
int loop_init(struct loop *l);

void loop_destroy(struct loop *l);

/* 0, or -1 with errno. */
int loop_add(struct loop *l, struct watch *w, uint32_t events);

int loop_change(struct loop *l, struct watch *w, uint32_t events);

/* Before its fd is closed. */
void loop_remove(struct loop *l, struct watch *w);

/* The same for one whose fd was closed already. */
void loop_forget(struct loop *l, struct watch *w);

/*
 * May the turn go on with work that can wait?  Not once it has taken 50 ms: then the rest is for
 * the next turn, for which loop_wake() asks.
 */
bool loop_has_time(const struct loop *l);

/* Sleep until something is due, then handle it: sockets first, then deadlines. */
void loop_turn(struct loop *l);

/* From any thread: end the sleep of the turn under way, or the next. */
void loop_wake(struct loop *l);

#endif
