/* handoff_store.c - request objects kept for the handoffs that refer to them. */

#include "routes/handoff_store.h"

#include "util/clock.h"
#include "util/list.h"
#include "util/secret.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 256 /* by the first byte of the name, which is random */

/* How much one token may hold, so that nobody else finds the store full. */
#define SHARE 4

struct item {
    struct link link;   /* oldest first: all are kept for the same time */
    struct link bucket; /* those whose names begin alike */
    int64_t expires_us;
    uint64_t token;
    size_t size;
    char name[HANDOFF_STORE_NAME_SIZE];
    char *text; /* NUL-terminated; apart, so that handoff_store_take() has nothing to allocate */
};

struct handoff_store {
    pthread_mutex_t lock;
    struct link items;
    struct link buckets[BUCKETS];
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
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&store->buckets[i]);
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
    list_remove(&item->bucket);
    store->count--;
    store->bytes -= item->size;
}

static void
free_item(struct item *item)
{
    if (item == NULL)
        return;
    free(item->text);
    free(item);
}

static void
drop_expired(struct handoff_store *store, int64_t now_us)
{
    struct item *item;

    while ((item = oldest(store)) != NULL && item->expires_us <= now_us) {
        unlink_item(store, item);
        free_item(item);
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

/* The list that an item of this name is in; `name` may be anything. */
static struct link *
bucket_of(struct handoff_store *store, const char *name)
{
    char digits[3] = { 0 };

    memcpy(digits, name, strnlen(name, 2));
    return &store->buckets[strtoul(digits, NULL, 16) % BUCKETS];
}

/* Does this token hold its share?  It can't before that much is held in all. */
static bool
has_its_share(const struct handoff_store *store, const struct item *next)
{
    size_t count = 1, bytes = next->size;

    if (next->token == 0 || (store->count < HANDOFF_STORE_ITEMS_MAX / SHARE &&
                             store->bytes + next->size <= HANDOFF_STORE_BYTES_MAX / SHARE))
        return false;
    for (const struct link *l = store->items.next; l != &store->items; l = l->next) {
        const struct item *item = container_of(l, struct item, link);

        if (item->token == next->token) {
            count++;
            bytes += item->size;
        }
    }
    return count > HANDOFF_STORE_ITEMS_MAX / SHARE || bytes > HANDOFF_STORE_BYTES_MAX / SHARE;
}

static int
keep(struct handoff_store *store, struct item *item, struct failure *err)
{
    int64_t now_us = clock_us();

    drop_expired(store, now_us);
    if (store->count >= HANDOFF_STORE_ITEMS_MAX ||
        item->size > HANDOFF_STORE_BYTES_MAX - store->bytes)
        return failure_set(err, ERROR_OVERLOADED,
                           "%zu request objects already wait for their handoff", store->count);
    if (has_its_share(store, item))
        return failure_set(err, ERROR_OVERLOADED,
                           "request objects of this token already take a quarter of the room for "
                           "those that wait for their handoff");
    item->expires_us = now_us + (int64_t)HANDOFF_STORE_SECONDS * US_PER_SECOND;
    list_append(&store->items, &item->link);
    list_append(bucket_of(store, item->name), &item->bucket);
    store->count++;
    store->bytes += item->size;
    return 0;
}

static struct item *
item_new(const char *text, size_t n)
{
    struct item *item = calloc(1, sizeof *item);

    if (item == NULL || name_item(item) != 0 || (item->text = malloc(n + 1)) == NULL) {
        free_item(item);
        return NULL;
    }
    memcpy(item->text, text, n);
    item->text[n] = '\0';
    item->size = n;
    return item;
}

int
handoff_store_put(struct handoff_store *store, const char *text, size_t n, uint64_t token,
                  char name[HANDOFF_STORE_NAME_SIZE], struct failure *err)
{
    struct item *item = item_new(text, n);
    int rc;

    if (item == NULL)
        return failure_no_memory(err);
    item->token = token;
    memcpy(name, item->name, HANDOFF_STORE_NAME_SIZE);
    pthread_mutex_lock(&store->lock);
    rc = keep(store, item, err);
    pthread_mutex_unlock(&store->lock);
    if (rc != 0)
        free_item(item);
    return rc;
}

static struct item *
find(struct handoff_store *store, const char *name)
{
    struct link *bucket = bucket_of(store, name);
    size_t n = strlen(name);

    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        struct item *item = container_of(l, struct item, bucket);

        if (secret_equal(item->name, sizeof item->name - 1, name, n))
            return item;
    }
    return NULL;
}

char *
handoff_store_take(struct handoff_store *store, const char *name, uint64_t *token)
{
    struct item *item;
    char *text;

    pthread_mutex_lock(&store->lock);
    drop_expired(store, clock_us());
    if ((item = find(store, name)) != NULL)
        unlink_item(store, item);
    pthread_mutex_unlock(&store->lock);
    if (item == NULL)
        return NULL;
    text = item->text;
    *token = item->token;
    item->text = NULL;
    free_item(item);
    return text;
}
