/* cookie_jar.c - the cookies of a session, shared by its fetches. */

#include "session/cookie_jar.h"

#include "http/cookie_match.h"
#include "util/array.h"
#include "util/hash.h"
#include "util/list.h"
#include "util/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEM_BYTES 200 /* of a cookie beside its text: its place in the array, and four blocks */

struct cookie_jar_group {
    atomic_int refs;
    counter bytes;
    pthread_mutex_t lock; /* of the list; taken before the lock of a jar */
    struct link jars;
};

struct jar_cookie {
    struct cookie cookie;
    uint64_t domain_hash;
    uint64_t used; /* the jar's count of uses when it was set or lent last */
};

struct cookie_jar {
    pthread_mutex_t lock;
    struct jar_cookie *items; /* in the order of their first setting */
    size_t count, bytes;
    uint64_t uses;
    counter memory;                 /* of it in the group's bytes; written under the lock */
    struct cookie_jar_group *group; /* NULL: none yet */
    struct link link;               /* in the group's list */
};

/* -- the group ------------------------------------------------------------ */

struct cookie_jar_group *
cookie_jar_group_new(void)
{
    struct cookie_jar_group *g = calloc(1, sizeof *g);

    if (g == NULL)
        return NULL;
    g->refs = 1;
    pthread_mutex_init(&g->lock, NULL);
    list_init(&g->jars);
    return g;
}

struct cookie_jar_group *
cookie_jar_group_ref(struct cookie_jar_group *g)
{
    atomic_fetch_add(&g->refs, 1);
    return g;
}

void
cookie_jar_group_unref(struct cookie_jar_group *g)
{
    if (g == NULL || atomic_fetch_sub(&g->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&g->lock);
    free(g);
}

int64_t
cookie_jar_group_bytes(const struct cookie_jar_group *g)
{
    return counter_read(&g->bytes);
}

void
cookie_jar_join(struct cookie_jar *j, struct cookie_jar_group *g)
{
    if (j->group != NULL)
        return;
    j->group = cookie_jar_group_ref(g);
    counter_add(&g->bytes, counter_read(&j->memory));
    pthread_mutex_lock(&g->lock);
    list_append(&g->jars, &j->link);
    pthread_mutex_unlock(&g->lock);
}

/* No other jar makes it lose cookies any more. */
static void
leave_list(struct cookie_jar *j)
{
    if (j->group == NULL)
        return;
    pthread_mutex_lock(&j->group->lock);
    list_remove(&j->link);
    pthread_mutex_unlock(&j->group->lock);
}

/* -- a jar ------------------------------------------------------------------ */

struct cookie_jar *
cookie_jar_new(void)
{
    struct cookie_jar *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    pthread_mutex_init(&j->lock, NULL);
    list_init(&j->link);
    return j;
}

void
cookie_jar_free(struct cookie_jar *j)
{
    if (j == NULL)
        return;
    leave_list(j);
    cookie_jar_clear(j);
    cookie_jar_group_unref(j->group);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

/* Under the jar's lock, once its cookies have changed. */
static void
count_memory(struct cookie_jar *j)
{
    int64_t now = (int64_t)(j->bytes + j->count * ITEM_BYTES), before = counter_read(&j->memory);

    if (j->group != NULL)
        counter_add(&j->group->bytes, now - before);
    counter_add(&j->memory, now - before);
}

void
cookie_jar_clear(struct cookie_jar *j)
{
    pthread_mutex_lock(&j->lock);
    while (j->count > 0)
        cookies_destroy_one(&j->items[--j->count].cookie);
    free(j->items);
    j->items = NULL;
    j->bytes = 0;
    count_memory(j);
    pthread_mutex_unlock(&j->lock);
}

/* -- the jar; these are called under its lock ----------------------------- */

static size_t
sent_bytes(const struct cookie *c)
{
    return strlen(c->name) + strlen(c->value);
}

static size_t
all_bytes(const struct cookie *c)
{
    return sent_bytes(c) + strlen(c->domain) + strlen(c->path);
}

static bool
has_expired(const struct cookie *c, int64_t now)
{
    return c->expires != 0 && c->expires <= now;
}

/* Domains in the jar are in lower case. */
static uint64_t
hash_of(const char *domain)
{
    return hash_text(HASH_START, domain);
}

static struct jar_cookie *
find(struct cookie_jar *j, const struct cookie *c)
{
    uint64_t hash = hash_of(c->domain);

    for (size_t i = 0; i < j->count; i++)
        if (j->items[i].domain_hash == hash && cookies_same(&j->items[i].cookie, c))
            return &j->items[i];
    return NULL;
}

static void
remove_item(struct cookie_jar *j, struct jar_cookie *item)
{
    size_t i = (size_t)(item - j->items);

    j->bytes -= all_bytes(&item->cookie);
    cookies_destroy_one(&item->cookie);
    j->count--;
    memmove(item, item + 1, (j->count - i) * sizeof *item);
    array_shrink((void **)&j->items, j->count, sizeof *item);
}

static struct jar_cookie *
oldest(const struct cookie_jar *j)
{
    struct jar_cookie *first = j->items;

    for (size_t i = 1; i < j->count; i++)
        if (j->items[i].used < first->used)
            first = &j->items[i];
    return first;
}

static void
remove_expired(struct cookie_jar *j, int64_t now)
{
    for (size_t i = j->count; i-- > 0;)
        if (has_expired(&j->items[i].cookie, now))
            remove_item(j, &j->items[i]);
}

/* What there is of one domain, and which of it was not used for the longest time. */
struct domain_use {
    size_t count, bytes;
    struct jar_cookie *oldest;
};

static struct domain_use
domain_use(struct cookie_jar *j, const char *domain)
{
    uint64_t hash = hash_of(domain);
    struct domain_use u = { 0 };

    for (size_t i = 0; i < j->count; i++) {
        struct jar_cookie *item = &j->items[i];

        if (item->domain_hash != hash)
            continue;
        u.count++;
        u.bytes += sent_bytes(&item->cookie);
        if (u.oldest == NULL || item->used < u.oldest->used)
            u.oldest = item;
    }
    return u;
}

/* After a cookie of this domain was set.  It was used last, so it stays. */
static void
keep_limits(struct cookie_jar *j, const char *domain)
{
    struct domain_use u;

    while ((u = domain_use(j, domain)).count > COOKIE_JAR_DOMAIN_MAX ||
           (u.count > 1 && u.bytes > COOKIE_JAR_DOMAIN_BYTES_MAX))
        remove_item(j, u.oldest);
    while (j->count > COOKIE_JAR_MAX || (j->count > 1 && j->bytes > COOKIE_JAR_BYTES_MAX))
        remove_item(j, oldest(j));
}

/* The copy becomes the jar's, in the place of the same cookie (RFC 6265 section 5.3, step 11). */
static int
put(struct cookie_jar *j, const struct cookie *copy)
{
    struct jar_cookie *item = find(j, copy);

    if (item != NULL && copy->renewed) {
        remove_item(j, item);
        item = NULL;
    }
    if (item != NULL) {
        j->bytes -= all_bytes(&item->cookie);
        cookies_destroy_one(&item->cookie);
    } else if ((item = array_grow((void **)&j->items, &j->count, sizeof *item)) == NULL) {
        return -1;
    }
    *item = (struct jar_cookie){ *copy, hash_of(copy->domain), j->uses++ };
    item->cookie.renewed = false;
    j->bytes += all_bytes(copy);
    keep_limits(j, copy->domain);
    return 0;
}

/* -- from the jar to a fetch ---------------------------------------------- */

static bool
is_for_host(const struct cookie *c, const char *host)
{
    return c->host_only ? strcasecmp(host, c->domain) == 0 : cookie_match_domain(host, c->domain);
}

int
cookie_jar_export(struct cookie_jar *j, const char *host, int64_t now, struct cookies *to)
{
    int rc = 0;

    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < j->count && rc == 0; i++) {
        struct jar_cookie *item = &j->items[i];

        if (!is_for_host(&item->cookie, host) || has_expired(&item->cookie, now) ||
            cookies_find(to, &item->cookie) != NULL)
            continue;
        item->used = j->uses++;
        if ((rc = cookies_add(to, &item->cookie)) == 0)
            to->items[to->count - 1].lent = true;
    }
    pthread_mutex_unlock(&j->lock);
    return rc;
}

/* -- from a fetch to the jar ---------------------------------------------- */

static bool
is_deleted(const struct cookies *known, const struct cookie *c)
{
    const struct cookie *same = cookies_find(known, c);

    return same != NULL && same->deleted;
}

bool
cookie_jar_hides_secure(struct cookie_jar *j, const struct cookie *c, const struct cookies *known)
{
    bool hides = false;

    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < j->count && !hides; i++) {
        const struct cookie *other = &j->items[i].cookie;

        hides = cookie_match_hides_secure(other, c) && !is_deleted(known, other);
    }
    pthread_mutex_unlock(&j->lock);
    return hides;
}

static int
import_one(struct cookie_jar *j, const struct cookie *c)
{
    struct cookie copy;
    struct jar_cookie *item;

    if (c->deleted) {
        if (c->lent && (item = find(j, c)) != NULL)
            remove_item(j, item);
        return 0;
    }
    if (cookies_copy_one(&copy, c) != 0 || put(j, &copy) != 0) {
        cookies_destroy_one(&copy);
        return -1;
    }
    return 0;
}

/* Under the group's lock.  NULL: none has a cookie. */
static struct cookie_jar *
largest(struct cookie_jar_group *g)
{
    struct cookie_jar *most = NULL;

    for (struct link *l = g->jars.next; l != &g->jars; l = l->next) {
        struct cookie_jar *j = container_of(l, struct cookie_jar, link);

        if (counter_read(&j->memory) > (most != NULL ? counter_read(&most->memory) : 0))
            most = j;
    }
    return most;
}

/* So one session's cookies do not push out another's that has fewer. */
static void
keep_group_limit(struct cookie_jar_group *g)
{
    struct cookie_jar *j;

    if (g == NULL || counter_read(&g->bytes) <= COOKIE_JAR_GROUP_BYTES_MAX)
        return;
    pthread_mutex_lock(&g->lock);
    while (counter_read(&g->bytes) > COOKIE_JAR_GROUP_BYTES_MAX && (j = largest(g)) != NULL) {
        pthread_mutex_lock(&j->lock);
        if (j->count > 0)
            remove_item(j, oldest(j));
        count_memory(j);
        pthread_mutex_unlock(&j->lock);
    }
    pthread_mutex_unlock(&g->lock);
}

int
cookie_jar_import(struct cookie_jar *j, const struct cookies *set, int64_t now)
{
    int rc = 0;

    if (set->count == 0)
        return 0;
    pthread_mutex_lock(&j->lock);
    remove_expired(j, now);
    for (size_t i = 0; i < set->count && rc == 0; i++)
        rc = import_one(j, &set->items[i]);
    count_memory(j);
    pthread_mutex_unlock(&j->lock);
    keep_group_limit(j->group);
    return rc;
}
