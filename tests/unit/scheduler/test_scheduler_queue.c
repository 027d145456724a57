/* test_scheduler_queue.c - the bounded queue: who waits, who makes room; all of it at random. */

#include "scheduler/scheduler.h"

#include "support/scheduler_fixture.h"

#include <criterion/criterion.h>

#define PLENTY 1000

static struct scheduler_fixture t;

/* Arrives at a full queue; the one that had to make room. */
static struct curlew_fetch *
evicted_by(const char *origin, struct curlew_fetch **newcomer)
{
    struct curlew_fetch *evicted;

    *newcomer = sched_fetch(&t, "default", origin);
    cr_assert_eq(scheduler_enqueue(&t.scheduler, *newcomer, &evicted), SCHEDULED_QUEUED);
    cr_assert_not_null(evicted);
    cr_assert_eq(evicted->failure.error, ERROR_OVERLOADED);
    return evicted;
}

static void
is_refused(const char *origin)
{
    struct curlew_fetch *f = sched_arrive(&t, "default", origin, SCHEDULED_REJECTED);

    cr_assert_eq(f->failure.error, ERROR_OVERLOADED);
    cr_assert_not_null(strstr(f->failure.detail, "limits.queue"), "%s", f->failure.detail);
    fetch_unref(f);
}

static void
finish_all(struct curlew_fetch *running)
{
    do
        sched_end(&t, running);
    while ((running = scheduler_next(&t.scheduler)) != NULL);
    sched_close(&t);
}

Test(scheduler_queue, takes_exactly_as_many_as_it_says)
{
    struct curlew_fetch *running;

    sched_open(&t, 1, 3, PLENTY, PLENTY);
    running = sched_start(&t, "a");
    for (int i = 0; i < 3; i++)
        sched_wait(&t, "a");
    cr_assert_eq(counter_read(&t.stats.queued), 3);
    is_refused("a");
    cr_assert_eq(counter_read(&t.stats.queued), 3);
    finish_all(running);
}

Test(scheduler_queue, of_0_lets_nobody_wait)
{
    struct curlew_fetch *running;

    sched_open(&t, 1, 0, PLENTY, PLENTY);
    running = sched_start(&t, "a");
    is_refused("a");
    is_refused("b");
    finish_all(running);
}

Test(scheduler_queue, when_full_the_newest_of_the_longest_queue_makes_room)
{
    struct curlew_fetch *running, *a2, *b1, *victim;

    sched_open(&t, 1, 3, PLENTY, PLENTY);
    running = sched_start(&t, "x");
    sched_wait(&t, "a");
    sched_wait(&t, "a");
    a2 = sched_wait(&t, "a");
    victim = evicted_by("b", &b1);
    cr_assert_eq(victim, a2);
    fetch_unref(victim);
    cr_assert_eq(counter_read(&t.stats.queued), 3);
    finish_all(running);
}

Test(scheduler_queue, nobody_makes_room_for_a_queue_that_would_be_as_long)
{
    struct curlew_fetch *running;

    sched_open(&t, 1, 4, PLENTY, PLENTY);
    running = sched_start(&t, "x");
    sched_wait(&t, "a");
    sched_wait(&t, "a");
    sched_wait(&t, "b");
    sched_wait(&t, "b");
    is_refused("a");
    is_refused("b");
    fetch_unref(evicted_by("c", &(struct curlew_fetch *){ NULL }));
    finish_all(running);
}

Test(scheduler_queue, queues_of_one_each_are_all_equal)
{
    struct curlew_fetch *running;

    sched_open(&t, 1, 3, PLENTY, PLENTY);
    running = sched_start(&t, "x");
    sched_wait(&t, "a");
    sched_wait(&t, "b");
    sched_wait(&t, "c");
    is_refused("d");
    finish_all(running);
}

Test(scheduler_queue, making_room_does_not_cost_the_queue_its_turn)
{
    struct curlew_fetch *running, *a1, *b1, *newcomer;

    sched_open(&t, 1, 4, PLENTY, PLENTY);
    running = sched_start(&t, "x");
    a1 = sched_wait(&t, "a");
    b1 = sched_wait(&t, "b");
    sched_wait(&t, "a");
    sched_wait(&t, "a");
    fetch_unref(evicted_by("c", &newcomer));
    sched_end(&t, running);
    sched_next_is(&t, a1);
    sched_end(&t, a1);
    sched_next_is(&t, b1);
    finish_all(b1);
}

Test(scheduler_queue, one_that_withdraws_makes_room)
{
    struct curlew_fetch *running, *gone;

    sched_open(&t, 1, 2, PLENTY, PLENTY);
    running = sched_start(&t, "a");
    sched_wait(&t, "a");
    gone = sched_wait(&t, "b");
    is_refused("c");
    scheduler_withdraw(&t.scheduler, gone);
    fetch_unref(gone);
    sched_wait(&t, "c");
    finish_all(running);
}

Test(scheduler_queue, any_that_waits_can_be_found)
{
    struct curlew_fetch *running, *f;
    int n = 0;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    running = sched_start(&t, "a");
    for (int i = 0; i < 10; i++)
        sched_wait(&t, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
    while ((f = scheduler_any_waiting(&t.scheduler)) != NULL) {
        scheduler_withdraw(&t.scheduler, f);
        fetch_unref(f);
        n++;
    }
    cr_assert_eq(n, 10);
    finish_all(running);
}

/* -- at random ----------------------------------------------------------- */

#define ORIGINS     5
#define IN_FLIGHT   8
#define PER_SESSION 6
#define PER_ORIGIN  3
#define QUEUE       20

static struct curlew_fetch *running[IN_FLIGHT + 1], *waiting[QUEUE + 1];
static int running_count, waiting_count;

static int
count_running(const struct session *s, const char *origin)
{
    int n = 0;

    for (int i = 0; i < running_count; i++)
        n += running[i]->session == s &&
             (origin == NULL || strcmp(running[i]->url.origin, origin) == 0);
    return n;
}

static void
forget(struct curlew_fetch **list, int *count, const struct curlew_fetch *f)
{
    for (int i = 0; i < *count; i++)
        if (list[i] == f) {
            memmove(&list[i], &list[i + 1], (size_t)(*count - i - 1) * sizeof list[0]);
            (*count)--;
            return;
        }
    cr_assert_fail("a fetch that was not there");
}

static bool
could_start(const struct curlew_fetch *f)
{
    return running_count < IN_FLIGHT && count_running(f->session, NULL) < PER_SESSION &&
           count_running(f->session, f->url.origin) < PER_ORIGIN;
}

/* Everybody who can start has started; nobody of a queue was passed by a younger one. */
static void
pump(void)
{
    struct curlew_fetch *f;

    while ((f = scheduler_next(&t.scheduler)) != NULL) {
        cr_assert(could_start(f));
        for (int i = 0; waiting[i] != f; i++)
            cr_assert(waiting[i]->session != f->session ||
                      strcmp(waiting[i]->url.origin, f->url.origin) != 0);
        forget(waiting, &waiting_count, f);
        running[running_count++] = f;
    }
    for (int i = 0; i < waiting_count; i++)
        cr_assert_not(could_start(waiting[i]), "%s starves", waiting[i]->url.origin);
}

static void
arrive_somewhere(unsigned *seed)
{
    const char *origin = (const char *[]){ "a", "b", "c", "d", "e" }[rand_r(seed) % ORIGINS];
    struct curlew_fetch *f = sched_fetch(&t, rand_r(seed) % 3 ? "default" : "other", origin),
                        *evicted;
    bool could = could_start(f);
    enum scheduled is = scheduler_enqueue(&t.scheduler, f, &evicted);

    if (evicted != NULL) {
        forget(waiting, &waiting_count, evicted);
        fetch_unref(evicted);
    }
    if (is == SCHEDULED_NOW) {
        cr_assert(could);
        running[running_count++] = f;
    } else if (is == SCHEDULED_QUEUED) {
        waiting[waiting_count++] = f;
    } else {
        cr_assert_eq(waiting_count, QUEUE);
        fetch_unref(f);
    }
}

static void
random_step(unsigned *seed)
{
    int what = rand_r(seed) % 10;
    struct curlew_fetch *f;

    if (what < 6) {
        arrive_somewhere(seed);
    } else if (what < 9 && running_count > 0) {
        f = running[rand_r(seed) % running_count];
        forget(running, &running_count, f);
        sched_end(&t, f);
    } else if (waiting_count > 0) {
        f = waiting[rand_r(seed) % waiting_count];
        forget(waiting, &waiting_count, f);
        scheduler_withdraw(&t.scheduler, f);
        fetch_unref(f);
    }
    pump();
    cr_assert_eq(counter_read(&t.stats.in_flight), running_count);
    cr_assert_eq(counter_read(&t.stats.queued), waiting_count);
}

Test(scheduler_queue, thousands_of_random_steps_keep_every_limit_and_starve_nobody, .timeout = 60)
{
    unsigned seed = 1;

    sched_open(&t, IN_FLIGHT, QUEUE, PER_SESSION, PER_ORIGIN);
    for (int i = 0; i < 20000; i++)
        random_step(&seed);
    while (running_count > 0) {
        struct curlew_fetch *f = running[0];

        forget(running, &running_count, f);
        sched_end(&t, f);
        pump();
    }
    cr_assert_eq(waiting_count, 0);
    sched_close(&t);
}
