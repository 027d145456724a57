/*
 * mailbox.h - hands owned objects from any thread to one thread.
 *
 * Push is good-bye: from then on the object is the receiver's, not even to be
 * read.  The receiver takes all that has come in one go and never waits here;
 * it waits in its loop.
 */
#ifndef EVENT_MAILBOX_H
#define EVENT_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

struct mail { /* embedded in what is sent */
    struct mail *next;
    int about; /* for receivers of several kinds: their own words */
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
