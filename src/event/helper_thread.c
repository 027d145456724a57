/* helper_thread.c - one thread for work that would keep an event loop from other connections. */

#include "event/helper_thread.h"

#include "util/clock.h"

#define BYTES_A_SECOND 1048576 /* of a task: later it is due */

static struct task *
take_next(struct helper_thread *h)
{
    struct link *l;

    pthread_mutex_lock(&h->lock);
    while (list_empty(&h->waiting) && !h->stopping)
        pthread_cond_wait(&h->changed, &h->lock);
    if ((l = list_take(&h->waiting)) != NULL)
        h->count--;
    pthread_mutex_unlock(&h->lock);
    return l != NULL ? container_of(l, struct task, link) : NULL;
}

static void *
run(void *arg)
{
    struct helper_thread *h = arg;
    struct task *t;

    while ((t = take_next(h)) != NULL)
        t->run(t);
    return NULL;
}

int
helper_thread_start(struct helper_thread *h, const char *name, size_t max)
{
    *h = (struct helper_thread){ .max = max };
    list_init(&h->waiting);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        pthread_cond_destroy(&h->changed);
        pthread_mutex_destroy(&h->lock);
        return -1;
    }
    pthread_setname_np(h->thread, name);
    return 0;
}

/* Behind all that are due no later. */
static void
insert(struct helper_thread *h, struct task *t)
{
    struct link *after = h->waiting.prev;

    while (after != &h->waiting && container_of(after, struct task, link)->due_us > t->due_us)
        after = after->prev;
    list_append(after->next, &t->link);
    h->count++;
}

bool
helper_thread_try_add(struct helper_thread *h, struct task *t, size_t size)
{
    bool has_room;

    t->due_us = clock_us() + (int64_t)size * US_PER_SECOND / BYTES_A_SECOND;
    pthread_mutex_lock(&h->lock);
    has_room = h->count < h->max;
    if (has_room) {
        insert(h, t);
        pthread_cond_signal(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    return has_room;
}

void
helper_thread_stop(struct helper_thread *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
}
