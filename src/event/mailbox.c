/* mailbox.c - hands owned objects from any thread to one thread. */

#include "event/mailbox.h"

#include <stddef.h>

void
mailbox_init(struct mailbox *m)
{
    pthread_mutex_init(&m->lock, NULL);
    m->first = NULL;
    m->last = &m->first;
}

void
mailbox_destroy(struct mailbox *m)
{
    pthread_mutex_destroy(&m->lock);
}

bool
mailbox_push(struct mailbox *m, struct mail *one)
{
    bool was_empty;

    one->next = NULL;
    pthread_mutex_lock(&m->lock);
    was_empty = m->first == NULL;
    *m->last = one;
    m->last = &one->next;
    pthread_mutex_unlock(&m->lock);
    return was_empty;
}

struct mail *
mailbox_take(struct mailbox *m)
{
    struct mail *all;

    pthread_mutex_lock(&m->lock);
    all = m->first;
    m->first = NULL;
    m->last = &m->first;
    pthread_mutex_unlock(&m->lock);
    return all;
}
