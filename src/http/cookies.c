/* cookies.c - a list of cookies, as a request brings them and as a response leaves them. */

#include "http/cookies.h"

#include "util/array.h"
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

static bool
same_domain(const struct cookie *a, const struct cookie *b)
{
    if (a->domain == NULL || b->domain == NULL)
        return a->domain == b->domain;
    return a->host_only == b->host_only && strcasecmp(a->domain, b->domain) == 0;
}

bool
cookies_same(const struct cookie *a, const struct cookie *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(path_of(a), path_of(b)) == 0 &&
           same_domain(a, b);
}

struct cookie *
cookies_find(const struct cookies *list, const struct cookie *c)
{
    for (size_t i = 0; i < list->count; i++)
        if (cookies_same(&list->items[i], c))
            return &list->items[i];
    return NULL;
}

int
cookies_put(struct cookies *list, const struct cookie *c)
{
    struct cookie *same = cookies_find(list, c), copy;

    if (same == NULL)
        return cookies_add(list, c);
    if (cookies_copy_one(&copy, c) != 0) {
        cookies_destroy_one(&copy);
        return -1;
    }
    cookies_destroy_one(same);
    *same = copy;
    return 0;
}
