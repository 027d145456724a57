/* loop.c - one thread's event loop: sockets, deadlines, and a wake-up from other threads. */

#include "event/loop.h"

#include "util/clock.h"
#include "util/list.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURN_MS          50               /* a fifth of what turn_watchdog.h calls slow */
#define FULL_BATCHES_MAX 8                /* in a row, before deadlines are met all the same */
#define LONG_TURN_US     (10 * US_PER_MS) /* in which bytes may have come that count as in time */

/* Waking the thread is all it is for.  It is edge-triggered, so it needn't be read. */
static void
woken(struct watch *w, uint32_t events)
{
    (void)w;
    (void)events;
}

int
loop_init(struct loop *l)
{
    memset(l, 0, sizeof *l);
    l->wake.ready = woken;
    timer_heap_init(&l->timers);
    if ((l->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return -1;
    if ((l->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        goto no_wake;
    if (loop_add(l, &l->wake, EPOLLIN | EPOLLET) != 0)
        goto no_watch;
    l->now_us = clock_us();
    return 0;

no_watch:
    close(l->wake.fd);
no_wake:
    close(l->epoll_fd);
    return -1;
}

void
loop_destroy(struct loop *l)
{
    close(l->wake.fd);
    close(l->epoll_fd);
}

int
loop_add(struct loop *l, struct watch *w, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = w };

    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &e);
}

int
loop_change(struct loop *l, struct watch *w, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = w };

    return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &e);
}

void
loop_remove(struct loop *l, struct watch *w)
{
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    loop_forget(l, w);
}

/* close() removed it from epoll, and its number may be another socket's by now. */
void
loop_forget(struct loop *l, struct watch *w)
{
    /* An event of this watch may wait in the batch; its owner may be gone by then. */
    for (int i = l->batch_next; i < l->batch_end; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

/* Rounded up: a thread that wakes before the deadline would only sleep again. */
static int
sleep_ms(const struct loop *l)
{
    int64_t at = timer_heap_next(&l->timers), left;

    if (at == INT64_MAX)
        return -1;
    left = at - clock_us();
    if (left <= 0)
        return 0;
    left = (left + US_PER_MS - 1) / US_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/*
 * loop_wake() sets `woken` and then reads `sleeping`; the thread sets `sleeping` and then reads
 * `woken`.  So one of the two sees the other's flag, and only a sleeping thread costs a write.
 */
static int
wait_for_events(struct loop *l)
{
    int n;

    atomic_store(&l->sleeping, true);
    do {
        n = epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, atomic_load(&l->woken) ? 0 : sleep_ms(l));
    } while (n < 0 && errno == EINTR);
    atomic_store(&l->sleeping, false);
    atomic_store(&l->woken, false);
    return n;
}

/*
 * What came in time is handled before the deadline, also where the process was stopped for a while:
 * after a long turn only deadlines that had passed when the kernel was asked are met, and none
 * while it may have more to tell.  But under a load that always fills the batch they are not put
 * off for long.
 */
static void
meet_deadlines(struct loop *l)
{
    int64_t now = clock_us();

    if (l->batch_end == LOOP_BATCH && ++l->full_batches < FULL_BATCHES_MAX)
        return;
    l->full_batches = 0;
    timer_heap_fire(&l->timers, now - l->now_us < LONG_TURN_US ? now : l->now_us);
}

void
loop_turn(struct loop *l)
{
    int n;

    turn_watchdog_sleep(&l->watchdog, clock_us());
    n = wait_for_events(l);
    l->now_us = clock_us();
    turn_watchdog_wake(&l->watchdog, l->now_us);
    l->batch_end = n > 0 ? n : 0;
    for (l->batch_next = 0; l->batch_next < l->batch_end;) {
        struct epoll_event *e = &l->batch[l->batch_next++];
        struct watch *w = e->data.ptr;

        if (w != NULL)
            w->ready(w, e->events);
    }
    meet_deadlines(l);
}

bool
loop_has_time(const struct loop *l)
{
    return clock_us() - l->now_us < TURN_MS * US_PER_MS;
}

void
loop_wake(struct loop *l)
{
    static const uint64_t one = 1;

    if (atomic_exchange(&l->woken, true) || !atomic_load(&l->sleeping))
        return;
    while (write(l->wake.fd, &one, sizeof one) < 0)
        ; /* EINTR only: the counter cannot overflow */
}
