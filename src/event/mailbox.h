/*
 * mailbox.h - hands owned objects from any thread to one thread.
 *
 * After mailbox_push() the object belongs to the receiver: the sender may not even read it.  The
 * receiver takes all objects at once and never waits here; it waits in its loop.
 */
#ifndef EVENT_MAILBOX_H
#define EVENT_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

struct mail { /* embedded in what is sent */
    struct mail *next;
    int about; /* the kind of object, numbered by its receiver */
};

struct mailbox {
    pthread_mutex_t lock;
    struct mail *first, **last;
};

void mailbox_init(struct mailbox *m);

/* Must be empty. */
void mailbox_destroy(struct mailbox *m);

/* true: it was empty, so wake the receiver. */
bool mailbox_push(struct mailbox *m, struct mail *one);

/* The whole list, oldest first; NULL: none. */
struct mail *mailbox_take(struct mailbox *m);

#endif
