/* test_loop.c - one thread's event loop: sockets, deadlines, and a wake-up from outside. */

#include "event/loop.h"

#include "util/clock.h"
#include "util/list.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct ear { /* one end of a socket pair in the loop, the other in the test's hand */
    struct watch watch;
    int other;
    int heard;
    uint32_t events;
    struct ear *friend; /* removed when this one hears something */
};

static struct loop l;

static void
setup(void)
{
    cr_assert_eq(loop_init(&l), 0);
}

static void
teardown(void)
{
    loop_destroy(&l);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 20);

static void
on_ready(struct watch *w, uint32_t events)
{
    struct ear *e = container_of(w, struct ear, watch);
    char byte;

    e->heard++;
    e->events = events;
    if (events & EPOLLIN)
        cr_assert_geq(read(w->fd, &byte, 1), 0);
}

static void
ear_open(struct ear *e, uint32_t events)
{
    int fds[2];

    *e = (struct ear){ .watch.ready = on_ready };
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    e->watch.fd = fds[0];
    e->other = fds[1];
    cr_assert_eq(loop_add(&l, &e->watch, events), 0);
}

static void
say(const struct ear *e)
{
    cr_assert_eq(write(e->other, "x", 1), 1);
}

static void
on_time(struct timer *t)
{
    (void)t;
}

/* A turn that cannot sleep for ever. */
static void
turn_at_most(int ms)
{
    struct timer t;

    timer_init(&t, on_time);
    timer_set(&l.timers, &t, clock_us() + ms * US_PER_MS);
    loop_turn(&l);
    timer_clear(&l.timers, &t);
}

/* -- sockets ------------------------------------------------------------- */

Test(loop, tells_a_watch_that_its_socket_can_be_read)
{
    struct ear e;

    ear_open(&e, EPOLLIN);
    turn_at_most(1);
    cr_assert_eq(e.heard, 0);
    say(&e);
    loop_turn(&l);

    cr_assert_eq(e.heard, 1);
    cr_assert(e.events & EPOLLIN);
}

Test(loop, tells_again_while_bytes_are_left)
{
    struct ear e;

    ear_open(&e, EPOLLIN);
    say(&e);
    say(&e);
    loop_turn(&l);
    loop_turn(&l);
    turn_at_most(1);

    cr_assert_eq(e.heard, 2);
}

Test(loop, tells_of_a_peer_that_hung_up)
{
    struct ear e;

    ear_open(&e, EPOLLIN);
    close(e.other);
    loop_turn(&l);

    cr_assert(e.events & EPOLLHUP);
}

Test(loop, change_asks_for_other_events)
{
    struct ear e;

    ear_open(&e, EPOLLIN);
    cr_assert_eq(loop_change(&l, &e.watch, EPOLLOUT), 0);
    say(&e);
    loop_turn(&l);

    cr_assert_eq(e.events, (uint32_t)EPOLLOUT);
}

Test(loop, a_removed_watch_hears_nothing_more)
{
    struct ear e;

    ear_open(&e, EPOLLIN);
    say(&e);
    loop_remove(&l, &e.watch);
    turn_at_most(1);

    cr_assert_eq(e.heard, 0);
    cr_assert_eq(loop_add(&l, &e.watch, EPOLLIN), 0);
    loop_turn(&l);
    cr_assert_eq(e.heard, 1, "it may come back");
}

Test(loop, a_closed_descriptor_cannot_be_watched)
{
    struct watch w = { .fd = -1, .ready = on_ready };

    cr_assert_eq(loop_add(&l, &w, EPOLLIN), -1);
}

static void
remove_and_free_both(struct watch *w, uint32_t events)
{
    struct ear *e = container_of(w, struct ear, watch), *friend = e->friend;

    (void)events;
    loop_remove(&l, &e->watch);
    loop_remove(&l, &friend->watch);
    close(e->watch.fd);
    close(friend->watch.fd);
    free(friend);
    free(e);
}

/* Both events are in one batch; whichever comes first frees the owner of the other. */
Test(loop, a_handler_may_remove_and_free_a_watch_whose_event_waits_in_the_batch)
{
    struct ear *a = malloc(sizeof *a), *b = malloc(sizeof *b);

    ear_open(a, EPOLLIN);
    ear_open(b, EPOLLIN);
    a->watch.ready = b->watch.ready = remove_and_free_both;
    a->friend = b;
    b->friend = a;
    say(a);
    say(b);
    loop_turn(&l);
    turn_at_most(1);
}

Test(loop, more_sockets_than_a_batch_are_all_heard)
{
    static struct ear many[2 * LOOP_BATCH];
    int heard = 0;

    for (int i = 0; i < 2 * LOOP_BATCH; i++) {
        ear_open(&many[i], EPOLLIN);
        say(&many[i]);
    }
    for (int i = 0; i < 4; i++)
        turn_at_most(1);
    for (int i = 0; i < 2 * LOOP_BATCH; i++)
        heard += many[i].heard;

    cr_assert_eq(heard, 2 * LOOP_BATCH);
}

/* -- deadlines ----------------------------------------------------------- */

static int64_t fired_at;

static void
note_time(struct timer *t)
{
    (void)t;
    fired_at = clock_us();
}

Test(loop, sleeps_until_a_deadline_and_wakes_once_it_has_passed)
{
    int64_t at = clock_us() + 30500;
    struct timer t;

    timer_init(&t, note_time);
    timer_set(&l.timers, &t, at);
    loop_turn(&l);

    cr_assert_geq(fired_at, at, "one turn is enough, and it is not too early");
}

Test(loop, a_deadline_in_the_past_does_not_sleep)
{
    struct timer t;

    timer_init(&t, note_time);
    timer_set(&l.timers, &t, clock_us() - US_PER_SECOND);
    loop_turn(&l);

    cr_assert_neq(fired_at, 0);
}

Test(loop, an_event_comes_before_a_far_deadline)
{
    struct ear e;
    struct timer t;

    ear_open(&e, EPOLLIN);
    timer_init(&t, note_time);
    timer_set(&l.timers, &t, INT64_MAX - 1);
    say(&e);
    loop_turn(&l);

    cr_assert_eq(e.heard, 1);
    cr_assert_eq(fired_at, 0);
}

static struct ear late; /* one that hears something while the thread stands still */
static int heard_before;

static void
note_what_was_heard(struct timer *t)
{
    note_time(t);
    heard_before = late.heard;
}

/* As a stop (SIGSTOP) that lasts beyond the deadline, in which something comes. */
static void
stand_still(int sig)
{
    int64_t until = clock_us() + 200 * US_PER_MS;

    (void)sig;
    say(&late);
    while (clock_us() < until)
        ;
}

static void *
interrupt(void *thread)
{
    usleep(20 * US_PER_MS);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

Test(loop, what_came_while_the_process_was_stopped_is_heard_before_a_deadline_that_passed_then)
{
    pthread_t self = pthread_self(), other;
    struct timer t;

    signal(SIGUSR1, stand_still);
    ear_open(&late, EPOLLIN);
    timer_init(&t, note_what_was_heard);
    timer_set(&l.timers, &t, clock_us() + 100 * US_PER_MS);
    cr_assert_eq(pthread_create(&other, NULL, interrupt, &self), 0);
    while (fired_at == 0)
        loop_turn(&l);
    pthread_join(other, NULL);

    cr_assert_eq(heard_before, 1);
}

static void
stand_still_once(struct watch *w, uint32_t events)
{
    on_ready(w, events);
    stand_still(0);
}

Test(loop, what_came_while_a_handler_ran_is_heard_before_a_deadline_that_passed_then)
{
    struct ear slow;
    struct timer t;

    ear_open(&slow, EPOLLIN);
    slow.watch.ready = stand_still_once;
    ear_open(&late, EPOLLIN);
    timer_init(&t, note_what_was_heard);
    timer_set(&l.timers, &t, clock_us() + 100 * US_PER_MS);
    say(&slow);
    while (fired_at == 0)
        loop_turn(&l);

    cr_assert_eq(heard_before, 1);
}

static struct ear crowd[3 * LOOP_BATCH];
static int crowd_heard;

static void
count_crowd(struct timer *t)
{
    note_time(t);
    for (int i = 0; i < 3 * LOOP_BATCH; i++)
        crowd_heard += crowd[i].heard;
}

Test(loop, more_sockets_than_a_batch_are_all_heard_before_a_deadline)
{
    struct timer t;

    for (int i = 0; i < 3 * LOOP_BATCH; i++) {
        ear_open(&crowd[i], EPOLLIN);
        say(&crowd[i]);
    }
    timer_init(&t, count_crowd);
    timer_set(&l.timers, &t, clock_us() - 1);
    while (fired_at == 0)
        loop_turn(&l);

    cr_assert_eq(crowd_heard, 3 * LOOP_BATCH);
}

static void
hear_nothing(struct watch *w, uint32_t events)
{
    (void)w;
    (void)events;
}

/* What is never read is ready for ever. */
Test(loop, a_load_that_fills_every_batch_does_not_put_deadlines_off_for_ever)
{
    struct timer t;
    int turns = 0;

    for (int i = 0; i < 3 * LOOP_BATCH; i++) {
        ear_open(&crowd[i], EPOLLIN);
        crowd[i].watch.ready = hear_nothing;
        say(&crowd[i]);
    }
    timer_init(&t, note_time);
    timer_set(&l.timers, &t, clock_us() - 1);
    for (; fired_at == 0; turns++)
        loop_turn(&l);

    cr_assert_eq(turns, 8);
}

Test(loop, knows_when_it_last_woke)
{
    int64_t before = clock_us();

    turn_at_most(5);
    cr_assert_geq(l.now_us, before + 4 * US_PER_MS);
    cr_assert_leq(l.now_us, clock_us());
}

/* -- wake-ups ------------------------------------------------------------ */

Test(loop, a_wake_up_before_the_turn_ends_its_sleep)
{
    loop_wake(&l);
    loop_wake(&l);
    loop_turn(&l); /* hangs without */
}

Test(loop, wake_ups_before_a_turn_end_one_sleep_only)
{
    int64_t before;

    for (int i = 0; i < 10; i++)
        loop_wake(&l);
    loop_turn(&l);
    before = clock_us();
    turn_at_most(20);

    cr_assert_geq(clock_us() - before, 20 * US_PER_MS);
}

static atomic_int posted;
static atomic_int seen;

/* Like a mailbox: the next is posted only once the one before has been seen. */
static void *
post_many(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 5000; i++) {
        posted = i;
        loop_wake(&l);
        while (seen < i && i % 7 != 0)
            ;
    }
    return NULL;
}

Test(loop, no_wake_up_from_another_thread_is_lost)
{
    pthread_t other;

    cr_assert_eq(pthread_create(&other, NULL, post_many, NULL), 0);
    while (seen < 5000) {
        loop_turn(&l); /* a lost wake-up sleeps here for ever */
        seen = posted;
    }
    pthread_join(other, NULL);
}
