/* test_helper_thread.c - one thread for work that would keep an event loop from others. */

#include "event/helper_thread.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdatomic.h>

#define MIB ((size_t)1 << 20)

struct job {
    struct task task;
    sem_t *until; /* runs for so long; NULL: not at all */
    int place;    /* from 1: the order in which they ran */
};

static struct helper_thread h;
static sem_t started;
static atomic_int places;

static void
work(struct task *t)
{
    struct job *job = container_of(t, struct job, task);

    if (job->until != NULL) {
        sem_post(&started);
        sem_wait(job->until);
    }
    job->place = ++places;
}

static bool
add(struct job *job, size_t size)
{
    job->task.run = work;
    return helper_thread_try_add(&h, &job->task, size);
}

static void
setup(void)
{
    sem_init(&started, 0, 0);
    cr_assert_eq(helper_thread_start(&h, "helper", 3), 0);
}

TestSuite(helper_thread, .init = setup, .timeout = 20);

Test(helper_thread, runs_what_waits_before_it_stops)
{
    struct job a = { 0 }, b = { 0 };

    cr_assert(add(&a, 0));
    cr_assert(add(&b, 0));
    helper_thread_stop(&h);
    cr_assert_eq(a.place, 1);
    cr_assert_eq(b.place, 2);
}

Test(helper_thread, a_small_task_passes_large_ones_that_wait)
{
    struct job first = { 0 }, large = { 0 }, larger = { 0 }, small = { 0 };
    sem_t until;

    sem_init(&until, 0, 0);
    first.until = &until;
    cr_assert(add(&first, MIB));
    sem_wait(&started);
    cr_assert(add(&larger, 16 * MIB));
    cr_assert(add(&large, 8 * MIB));
    cr_assert(add(&small, MIB / 4));
    sem_post(&until);
    helper_thread_stop(&h);
    cr_assert_eq(first.place, 1);
    cr_assert_eq(small.place, 2);
    cr_assert_eq(large.place, 3);
    cr_assert_eq(larger.place, 4);
}

Test(helper_thread, takes_no_more_than_may_wait)
{
    struct job first = { 0 }, more[4] = { 0 };
    sem_t until;

    sem_init(&until, 0, 0);
    first.until = &until;
    cr_assert(add(&first, 0));
    sem_wait(&started); /* it runs, and does not wait */
    for (int i = 0; i < 3; i++)
        cr_assert(add(&more[i], 0));
    cr_assert_not(add(&more[3], 0));
    sem_post(&until);
    helper_thread_stop(&h);
    cr_assert_eq(more[2].place, 4);
    cr_assert_eq(more[3].place, 0);
}
