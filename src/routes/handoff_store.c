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
    struct handoff_store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    pthread_mutex_init(&store->lock, NULL);
    list_init(&store->items);
    return store;
}

static struct item *
oldest(struct handoff_store *store)
{
    return list_empty(&store->items) ? NULL : container_of(store->items.next, struct item, link);
}

static void
unlink_item(struct handoff_store *store, struct item *item)
{
    list_remove(&item->link);
    store->count--;
    store->bytes -= item->size;
}

static void
drop_expired(struct handoff_store *store, int64_t now_us)
{
    struct item *item;

    while ((item = oldest(store)) != NULL && item->expires_us <= now_us) {
        unlink_item(store, item);
        free(item);
    }
}

void
handoff_store_free(struct handoff_store *store)
{
    if (store == NULL)
        return;
    drop_expired(store, INT64_MAX);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* It cannot be guessed: whoever knows the name can have the request sent. */
static int
name_item(struct item *item)
{
    unsigned char random[(HANDOFF_STORE_NAME_SIZE - 1) / 2];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    for (size_t k = 0; k < sizeof random; k++)
        snprintf(item->name + 2 * k, 3, "%02x", random[k]);
    return 0;
}

static int
keep(struct handoff_store *store, struct item *item, struct failure *err)
{
    int64_t now_us = clock_us();

    drop_expired(store, now_us);
    if (store->count >= HANDOFF_STORE_ITEMS_MAX ||
        item->size > HANDOFF_STORE_BYTES_MAX - store->bytes)
        return failure_set(err, ERROR_OVERLOADED,
                           "%zu request objects wait for their hand-off already", store->count);
    item->expires_us = now_us + (int64_t)HANDOFF_STORE_SECONDS * US_PER_SECOND;
    list_append(&store->items, &item->link);
    store->count++;
    store->bytes += item->size;
    return 0;
}

int
handoff_store_put(struct handoff_store *store, const char *text, size_t n,
                  char name[HANDOFF_STORE_NAME_SIZE], struct failure *err)
{
    struct item *item = malloc(sizeof *item + n + 1);
    int rc;

    if (item == NULL || name_item(item) != 0) {
        free(item);
        return failure_no_memory(err);
    }
    memcpy(item->text, text, n);
    item->text[n] = '\0';
    item->size = n;
    memcpy(name, item->name, HANDOFF_STORE_NAME_SIZE);
    pthread_mutex_lock(&store->lock);
    rc = keep(store, item, err);
    pthread_mutex_unlock(&store->lock);
    if (rc != 0)
        free(item);
    return rc;
}

static struct item *
find(struct handoff_store *store, const char *name)
{
    for (struct link *l = store->items.next; l != &store->items; l = l->next) {
        struct item *item = container_of(l, struct item, link);

        if (strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

char *
handoff_store_take(struct handoff_store *store, const char *name)
{
    struct item *item;
    char *text = NULL;

    pthread_mutex_lock(&store->lock);
    drop_expired(store, clock_us());
    if ((item = find(store, name)) != NULL)
        unlink_item(store, item);
    pthread_mutex_unlock(&store->lock);
    if (item != NULL)
        text = strdup(item->text);
    free(item);
    return text;
}
