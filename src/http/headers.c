/* headers.c - names and values, in order. */

#include "http/headers.h"

#include "util/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_ITEMS 16
#define BLOCK_BYTES 1000 /* with its head still small enough for malloc()'s fast path */

struct block {
    struct block *next;
    size_t used, size;
    char text[];
};

void
headers_destroy(struct headers *p)
{
    struct block *next;

    for (struct block *b = p->blocks; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(p->items);
    *p = (struct headers){ 0 };
}

static char *
take_room(struct headers *p, size_t n)
{
    struct block *b = p->blocks;
    size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;

    if (b == NULL || n > b->size - b->used) {
        if (size > SIZE_MAX / 2 || (b = malloc(sizeof *b + size)) == NULL)
            return NULL;
        *b = (struct block){ .next = p->blocks, .size = size };
        p->blocks = b;
    }
    b->used += n;
    return b->text + b->used - n;
}

static char *
put_text(char *to, const char *text, size_t n)
{
    if (n > 0)
        memcpy(to, text, n);
    to[n] = '\0';
    return to + n + 1;
}

/* The list doubles each time its length has come to a power of two. */
static struct header *
new_item(struct headers *p)
{
    size_t n = p->count;

    if (n == 0 || (n >= FIRST_ITEMS && (n & (n - 1)) == 0)) {
        struct header *items = realloc(p->items, (n == 0 ? FIRST_ITEMS : 2 * n) * sizeof *items);

        if (items == NULL)
            return NULL;
        p->items = items;
    }
    return &p->items[p->count];
}

int
headers_add(struct headers *p, const char *name, size_t name_size, const char *value,
            size_t value_size)
{
    size_t size = name_size + 1 + (value != NULL ? value_size + 1 : 0);
    struct header *item = new_item(p);
    char *text;

    if (item == NULL || (text = take_room(p, size)) == NULL)
        return -1;
    *item = (struct header){ .name = text };
    text = put_text(text, name, name_size);
    if (value != NULL) {
        item->value = text;
        put_text(text, value, value_size);
    }
    p->count++;
    return 0;
}

char *
headers_keep(struct headers *p, const char *text, size_t n)
{
    char *to = take_room(p, n + 1);

    if (to != NULL)
        put_text(to, text, n);
    return to;
}

int
headers_extend(struct headers *p, const char *more, size_t n)
{
    struct header *last = &p->items[p->count - 1];
    size_t old = strlen(last->value);
    char *text = take_room(p, old + 1 + n + 1);

    if (text == NULL)
        return -1;
    memcpy(text, last->value, old);
    text[old] = ' ';
    put_text(text + old + 1, more, n);
    last->value = text;
    return 0;
}

static int
add_copy(struct headers *p, const struct header *h)
{
    return headers_add(p, h->name, strlen(h->name), h->value,
                       h->value != NULL ? strlen(h->value) : 0);
}

int
headers_add_all(struct headers *p, const struct headers *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (add_copy(p, &from->items[i]) != 0)
            return -1;
    return 0;
}

/* -- looking up ---------------------------------------------------------- */

static const struct header *
find(const struct headers *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcasecmp(p->items[i].name, name) == 0)
            return &p->items[i];
    return NULL;
}

const char *
headers_get(const struct headers *p, const char *name)
{
    const struct header *h = find(p, name);

    return h != NULL ? h->value : NULL;
}

bool
headers_has(const struct headers *p, const char *name)
{
    return find(p, name) != NULL;
}

bool
headers_equal(const struct headers *a, const struct headers *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcasecmp(a->items[i].name, b->items[i].name) != 0 ||
            !text_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}
