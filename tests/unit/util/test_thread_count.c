/* test_thread_count.c - how many threads of the process have the calling thread's name. */

#include "util/thread_count.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 5

static sem_t started, end;

static void *
wait_for_end(void *arg)
{
    if (arg != NULL)
        pthread_setname_np(pthread_self(), arg);
    sem_post(&started);
    sem_wait(&end);
    return NULL;
}

static void
start(pthread_t *threads, char *name)
{
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, wait_for_end, name), 0);
    for (int i = 0; i < THREADS; i++)
        sem_wait(&started);
}

Test(thread_count, counts_threads_that_were_given_no_other_name)
{
    pthread_t unnamed[THREADS], named[THREADS];

    sem_init(&started, 0, 0);
    sem_init(&end, 0, 0);
    pthread_setname_np(pthread_self(), "fifteen-letters");
    cr_assert_eq(thread_count_like_this(), 1);
    start(unnamed, NULL);
    start(named, (char *)"fifteen-letter");
    cr_assert_eq(thread_count_like_this(), 1 + THREADS);
    for (int i = 0; i < 2 * THREADS; i++)
        sem_post(&end);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(unnamed[i], NULL);
        pthread_join(named[i], NULL);
    }
}

Test(thread_count, does_not_guess_where_files_cannot_be_opened)
{
    int next = dup(0);
    struct rlimit none = { (rlim_t)next, (rlim_t)next + 1 },
                  one = { (rlim_t)next + 1, (rlim_t)next + 1 };

    close(next);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_assert_eq(thread_count_like_this(), -1, "the list of threads");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &one), 0);
    cr_assert_eq(thread_count_like_this(), -1, "the name of one");
}
