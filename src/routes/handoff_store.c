/*
 * handoff_store.c - request objects too large for a header, kept for a handoff by reference.
 */

#include "routes/handoff_store.h"

#include "util/clock.h"
#include "util/list.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct item {
    struct link link; /* oldest first: all are kept for the same time */
    int64_t expires_us;
    size_t size;
    char name[HANDOFF_STORE_NAME_SIZE];
    char text[]; /* NUL-terminated */
};

struct handoff_store {
    pthread_mutex_t lock;
    struct link items;
    size_t count, bytes;
};

struct handoff_store *
handoff_store_new(void)
{
    struct handoff_store *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->items);
    return s;
}

static struct item *
oldest(struct handoff_store *s)
{
    return list_empty(&s->items) ? NULL : container_of(s->items.next, struct item, link);
}

static void
unlink_item(struct handoff_store *s, struct item *i)
{
    list_remove(&i->link);
    s->count--;
    s->bytes -= i->size;
}

static void
drop_expired(struct handoff_store *s, int64_t now_us)
{
    struct item *i;

    while ((i = oldest(s)) != NULL && i->expires_us <= now_us) {
        unlink_item(s, i);
        free(i);
    }
}

void
handoff_store_free(struct handoff_store *s)
{
    if (s == NULL)
        return;
    drop_expired(s, INT64_MAX);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* It cannot be guessed: whoever knows the name can have the request sent. */
static int
name_item(struct item *i)
{
    unsigned char random[(HANDOFF_STORE_NAME_SIZE - 1) / 2];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    for (size_t k = 0; k < sizeof random; k++)
        snprintf(i->name + 2 * k, 3, "%02x", random[k]);
    return 0;
}

static int
keep(struct handoff_store *s, struct item *i, struct failure *err)
{
    int64_t now_us = clock_us();

    drop_expired(s, now_us);
    if (s->count >= HANDOFF_STORE_ITEMS_MAX || i->size > HANDOFF_STORE_BYTES_MAX - s->bytes)
        return failure_set(err, ERROR_OVERLOADED,
                           "%zu request objects wait for their hand-off already", s->count);
    i->expires_us = now_us + (int64_t)HANDOFF_STORE_SECONDS * US_PER_SECOND;
    list_append(&s->items, &i->link);
    s->count++;
    s->bytes += i->size;
    return 0;
}

int
handoff_store_put(struct handoff_store *s, const char *text, size_t n,
                  char name[HANDOFF_STORE_NAME_SIZE], struct failure *err)
{
    struct item *i = malloc(sizeof *i + n + 1);
    int rc;

    if (i == NULL || name_item(i) != 0) {
        free(i);
        return failure_no_memory(err);
    }
    memcpy(i->text, text, n);
    i->text[n] = '\0';
    i->size = n;
    memcpy(name, i->name, HANDOFF_STORE_NAME_SIZE);
    pthread_mutex_lock(&s->lock);
    rc = keep(s, i, err);
    pthread_mutex_unlock(&s->lock);
    if (rc != 0)
        free(i);
    return rc;
}

static struct item *
find(struct handoff_store *s, const char *name)
{
    for (struct link *l = s->items.next; l != &s->items; l = l->next) {
        struct item *i = container_of(l, struct item, link);

        if (strcmp(i->name, name) == 0)
            return i;
    }
    return NULL;
}

char *
handoff_store_take(struct handoff_store *s, const char *name)
{
    struct item *i;
    char *text = NULL;

    pthread_mutex_lock(&s->lock);
    drop_expired(s, clock_us());
    if ((i = find(s, name)) != NULL)
        unlink_item(s, i);
    pthread_mutex_unlock(&s->lock);
    if (i != NULL)
        text = strdup(i->text);
    free(i);
    return text;
}
