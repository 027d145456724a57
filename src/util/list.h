/*
 * list.h - a ring of links embedded in the objects it holds.
 *
 * A list is a link whose neighbours are its first and last member.  A link is
 * in one list at most; unlinking one that is in none is allowed.
 */
#ifndef UTIL_LIST_H
#define UTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *prev, *next;
};

/* The object of type `type` whose `field` is at `pointer`. */
#define container_of(pointer, type, field) ((type *)((char *)(pointer)-offsetof(type, field)))

static inline void
list_init(struct link *l)
{
    l->prev = l->next = l;
}

static inline bool
list_empty(const struct link *l)
{
    return l->next == l;
}

static inline void
list_append(struct link *list, struct link *l)
{
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

static inline void
list_remove(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

static inline struct link *
list_first(struct link *list)
{
    return list_empty(list) ? NULL : list->next;
}

static inline struct link *
list_last(struct link *list)
{
    return list_empty(list) ? NULL : list->prev;
}

static inline struct link *
list_take(struct link *list)
{
    struct link *l = list_first(list);

    if (l != NULL)
        list_remove(l);
    return l;
}

#endif
