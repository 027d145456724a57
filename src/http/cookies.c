/* cookies.c - a list of cookies, as a request brings them and as a response leaves them. */

#include "http/cookies.h"

#include "util/array.h"
#include "util/match.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
cookies_destroy_one(struct cookie *c)
{
    free(c->name);
    free(c->value);
    free(c->domain);
    free(c->path);
    *c = (struct cookie){ 0 };
}

void
cookies_destroy(struct cookies *c)
{
    for (size_t i = 0; i < c->count; i++)
        cookies_destroy_one(&c->items[i]);
    free(c->items);
    *c = (struct cookies){ 0 };
}

int
cookies_copy_one(struct cookie *to, const struct cookie *from)
{
    *to = *from;
    to->name = to->value = to->domain = to->path = NULL;
    return text_copy(&to->name, from->name) || text_copy(&to->value, from->value) ||
                   text_copy(&to->domain, from->domain) || text_copy(&to->path, from->path)
               ? -1
               : 0;
}

int
cookies_add(struct cookies *list, const struct cookie *c)
{
    struct cookie *item = array_grow((void **)&list->items, &list->count, sizeof *item);

    if (item == NULL)
        return -1;
    if (cookies_copy_one(item, c) != 0) {
        cookies_destroy_one(item);
        list->count--;
        return -1;
    }
    return 0;
}

int
cookies_add_all(struct cookies *list, const struct cookies *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (cookies_add(list, &from->items[i]) != 0)
            return -1;
    return 0;
}

bool
cookies_has(const struct cookies *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return true;
    return false;
}

static const char *
path_of(const struct cookie *c)
{
    return c->path != NULL ? c->path : "/";
}

static int
compare_domains(const struct cookie *a, const struct cookie *b)
{
    if (a->domain == NULL || b->domain == NULL)
        return (a->domain != NULL) - (b->domain != NULL);
    if (a->host_only != b->host_only)
        return a->host_only - b->host_only;
    return strcasecmp(a->domain, b->domain);
}

int
cookies_compare(const void *of_a, const void *of_b)
{
    const struct cookie *a = of_a, *b = of_b;
    int order = strcmp(a->name, b->name);

    if (order == 0)
        order = strcmp(path_of(a), path_of(b));
    return order != 0 ? order : compare_domains(a, b);
}

bool
cookies_same(const struct cookie *a, const struct cookie *b)
{
    return cookies_compare(a, b) == 0;
}

struct cookie *
cookies_find(const struct cookies *list, const struct cookie *c)
{
    for (size_t i = 0; i < list->count; i++)
        if (cookies_same(&list->items[i], c))
            return &list->items[i];
    return NULL;
}

/* All behind `item` move up, and it comes last. */
static void
move_to_end(struct cookies *list, struct cookie *item)
{
    struct cookie moved = *item, *last = &list->items[list->count - 1];

    memmove(item, item + 1, (size_t)(last - item) * sizeof *item);
    *last = moved;
}

int
cookies_put(struct cookies *list, const struct cookie *c)
{
    struct cookie *same = cookies_find(list, c), copy;
    bool anew;

    if (same == NULL)
        return cookies_add(list, c);
    if (cookies_copy_one(&copy, c) != 0) {
        cookies_destroy_one(&copy);
        return -1;
    }
    anew = same->deleted && c->renewed;
    cookies_destroy_one(same);
    *same = copy;
    if (anew)
        move_to_end(list, same);
    return 0;
}

/* The last of those that are the same, in the place of the first, which tells where they stand. */
static int
keep_last(struct cookies *to, const struct cookies *all, const size_t *first)
{
    size_t *last = malloc((all->count + 1) * sizeof last[0]);
    int rc = last != NULL ? 0 : -1;

    for (size_t i = 0; i < all->count && rc == 0; i++)
        last[first[i]] = i;
    for (size_t i = 0; i < all->count && rc == 0; i++) {
        if (first[i] != i)
            continue;
        rc = cookies_add(to, &all->items[last[i]]);
        if (rc == 0)
            to->items[to->count - 1].lent = all->items[i].lent;
    }
    free(last);
    return rc;
}

int
cookies_put_all(struct cookies *list, const struct cookies *from)
{
    struct cookies all = { .items = calloc(list->count + from->count + 1, sizeof *all.items) };
    size_t *first = malloc((list->count + from->count + 1) * sizeof first[0]);
    struct cookies merged = { 0 };
    int rc = -1;

    if (all.items != NULL && first != NULL) { /* borrowed: `list` and `from` own the text */
        for (size_t i = 0; i < list->count; i++)
            all.items[all.count++] = list->items[i];
        for (size_t i = 0; i < from->count; i++)
            all.items[all.count++] = from->items[i];
        const struct match_list both = { all.items, all.count, sizeof all.items[0] };

        rc = match_first(first, &both, &both, cookies_compare) || keep_last(&merged, &all, first)
                 ? -1
                 : 0;
    }
    if (rc == 0) {
        cookies_destroy(list);
        *list = merged;
    } else {
        cookies_destroy(&merged);
    }
    free(all.items);
    free(first);
    return rc;
}
