/* cookies.c - a list of cookies, as a request brings them and as a response leaves them. */

#include "http/cookies.h"

#include "util/array.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

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
cookies_add(struct cookies *list, const struct cookie *c)
{
    struct cookie *item = array_grow((void **)&list->items, &list->count, sizeof *item);

    if (item == NULL)
        return -1;
    item->host_only = c->host_only;
    item->deleted = c->deleted;
    item->secure = c->secure;
    item->http_only = c->http_only;
    item->expires = c->expires;
    if (text_copy(&item->name, c->name) || text_copy(&item->value, c->value) ||
        text_copy(&item->domain, c->domain) || text_copy(&item->path, c->path))
        return -1;
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
