/*
 * helper_thread.h - one thread for work that would keep an event loop from other connections.
 *
 * Tasks run one by one.  Each is due a second for each MiB of its size after it was added, and the
 * one that is due first runs next.  So a small task passes large ones that wait, but none waits for
 * ever.
 */
#ifndef EVENT_HELPER_THREAD_H
#define EVENT_HELPER_THREAD_H

#include "util/list.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task { /* embedded in what is worked on */
    struct link link;
    int64_t due_us;
    /* On the helper thread, which does not touch the task any more. */
    void (*run)(struct task *t);
};

struct helper_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct link waiting; /* the one that is due first comes first */
    size_t count, max;   /* of those that wait */
    bool stopping;
};

/* At most `max` tasks wait.  -1: no thread. */
int helper_thread_start(struct helper_thread *h, const char *name, size_t max);

/* The task is the helper's until it runs.  false: too many wait, and it is still the caller's. */
bool helper_thread_try_add(struct helper_thread *h, struct task *t, size_t size);

/* Runs what still waits, and joins the thread. */
void helper_thread_stop(struct helper_thread *h);

#endif
