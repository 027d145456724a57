/* json_memory.c - jansson's memory: each document lies in blocks of its own, which are bounded. */

#include "json/json_memory.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FIRST_BYTES  1024 /* of the first block, beside what the text suggests */
#define EXPANSION    8    /* times the text: the usual tree fits the first block */
#define FIRST_MAX    ((size_t)64 << 10)
#define BLOCK_MAX    ((size_t)4 << 20)  /* blocks double up to this size */
#define MAPPED_BYTES ((size_t)64 << 10) /* larger ones are the kernel's own pages */
#define ALONE_BYTES  ((size_t)16 << 10) /* an allocation from this size on is a block alone */
#define ALIGN        sizeof(uint64_t)

struct block { /* its bytes follow */
    struct block *next, *prev;
    size_t size, used; /* both with this head */
};

struct document {
    struct block *blocks; /* the newest first; the oldest holds this struct, and goes last */
    struct block *filling;
    size_t bytes, max;
    size_t live; /* allocations, and one more while it is being parsed */
    enum json_memory_end refused;
    jmp_buf *escape; /* where a refusal leads; NULL: to a NULL */
    bool escaped;
};

/* Before each allocation: its document, NULL where it has none, and whether it is a block alone. */
struct head {
    uintptr_t owner;
};

#define ALONE 1 /* in `owner`, whose other bits are the document's address */

_Static_assert(sizeof(struct head) == ALIGN, "what follows a head is aligned");
_Static_assert(sizeof(struct block) % ALIGN == 0, "what follows a block's head is aligned");

static _Thread_local struct document *current;

/* -- blocks -------------------------------------------------------------- */

static struct block *
map_block(size_t size)
{
    void *p;

    if (size < MAPPED_BYTES)
        return malloc(size);
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED ? p : NULL;
}

static void
free_block(struct block *b)
{
    if (b->size < MAPPED_BYTES)
        free(b);
    else
        munmap(b, b->size);
}

static struct block *
add_block(struct document *d, size_t size)
{
    struct block *b;

    if (size > d->max - d->bytes) {
        d->refused = d->refused != JSON_MEMORY_OK ? d->refused : JSON_MEMORY_FULL;
        return NULL;
    }
    if ((b = map_block(size)) == NULL) {
        d->refused = d->refused != JSON_MEMORY_OK ? d->refused : JSON_MEMORY_NONE;
        return NULL;
    }
    *b = (struct block){ .next = d->blocks, .size = size, .used = sizeof *b };
    if (d->blocks != NULL)
        d->blocks->prev = b;
    d->blocks = b;
    d->bytes += size;
    return b;
}

static void
remove_block(struct document *d, struct block *b)
{
    if (b->prev != NULL)
        b->prev->next = b->next;
    else
        d->blocks = b->next;
    if (b->next != NULL)
        b->next->prev = b->prev;
    d->bytes -= b->size;
    free_block(b);
}

static void
free_document(struct document *d)
{
    struct block *next;

    for (struct block *b = d->blocks; b != NULL; b = next) {
        next = b->next;
        free_block(b);
    }
}

/* -- allocations --------------------------------------------------------- */

/* The next block of small allocations: twice the last, as far as the limit allows. */
static struct block *
next_filling(struct document *d, size_t least)
{
    size_t size = d->filling->size < BLOCK_MAX / 2 ? 2 * d->filling->size : BLOCK_MAX;
    size_t left = d->max - d->bytes;
    struct block *b;

    if (size > left && left >= least)
        size = left;
    if ((b = add_block(d, size)) != NULL)
        d->filling = b;
    return b;
}

/* Strings and long lists: given back as they are freed, since jansson doubles them as they grow. */
static struct head *
allocate_alone(struct document *d, size_t size)
{
    struct block *b = add_block(d, sizeof *b + size);
    struct head *h = (struct head *)(b + 1);

    if (b == NULL)
        return NULL;
    h->owner = (uintptr_t)d | ALONE;
    return h;
}

static struct head *
allocate_in(struct document *d, size_t size)
{
    struct block *b = d->filling;
    struct head *h;

    if (size >= ALONE_BYTES)
        return allocate_alone(d, size);
    if (size > b->size - b->used && (b = next_filling(d, sizeof *b + size)) == NULL)
        return NULL;
    h = (struct head *)((char *)b + b->used);
    h->owner = (uintptr_t)d;
    b->used += size;
    return h;
}

static struct head *
allocate_outside(size_t size)
{
    struct head *h = malloc(size);

    if (h != NULL)
        h->owner = 0;
    return h;
}

static void *
allocate(size_t size)
{
    size_t whole = sizeof(struct head) + (size + ALIGN - 1) / ALIGN * ALIGN;
    struct head *h;

    if (size > SIZE_MAX / 2)
        return NULL;
    h = current != NULL ? allocate_in(current, whole) : allocate_outside(whole);
    if (h == NULL && current != NULL && current->escape != NULL)
        longjmp(*current->escape, 1);
    if (h == NULL)
        return NULL;
    if (current != NULL)
        current->live++;
    return h + 1;
}

static struct document *
document_of(const struct head *h)
{
    return (struct document *)(h->owner & ~(uintptr_t)ALONE);
}

/* The last one ends the document. */
static void
drop(struct document *d)
{
    if (--d->live == 0)
        free_document(d);
}

void
json_memory_free(void *p)
{
    struct head *h;
    struct document *d;

    if (p == NULL)
        return;
    h = (struct head *)p - 1;
    if ((d = document_of(h)) == NULL) {
        free(h);
        return;
    }
    if (h->owner & ALONE)
        remove_block(d, (struct block *)h - 1);
    drop(d);
}

/* Before main(): what jansson allocates with other functions could not be freed with these. */
static void __attribute__((constructor)) install(void)
{
    json_set_alloc_funcs(allocate, json_memory_free);
}

/* -- documents ----------------------------------------------------------- */

int
json_memory_begin(size_t max, size_t text_size)
{
    size_t room =
        text_size < FIRST_MAX / EXPANSION ? FIRST_BYTES + EXPANSION * text_size : FIRST_MAX;
    size_t size = sizeof(struct block) + sizeof(struct document) + room;
    struct block *b = map_block(size);
    struct document *d = (struct document *)(b + 1);

    if (b == NULL)
        return -1;
    *b = (struct block){ .size = size, .used = sizeof *b + sizeof *d };
    *d = (struct document){ .blocks = b, .filling = b, .bytes = size, .max = max, .live = 1 };
    if (d->max < size)
        d->max = size;
    current = d;
    return 0;
}

json_t *
json_memory_load(const char *text, size_t size, size_t flags, json_error_t *error)
{
    jmp_buf refused;
    json_t *root;

    current->escape = &refused;
    if (setjmp(refused) != 0) {
        current->escape = NULL;
        current->escaped = true;
        return NULL;
    }
    root = json_loadb(text, size, flags, error);
    current->escape = NULL;
    return root;
}

enum json_memory_end
json_memory_finish(void)
{
    struct document *d = current;
    enum json_memory_end refused = d->refused;

    current = NULL;
    if (d->escaped)
        free_document(d); /* whatever json_loadb() was at has no owner any more */
    else
        drop(d);
    return refused;
}

/* jansson's null, true and false are constants, which no allocation holds. */
static struct document *
document_of_value(const json_t *value)
{
    if (value == NULL || value->refcount == (size_t)-1)
        return NULL;
    return document_of((const struct head *)value - 1);
}

size_t
json_memory_bytes(const json_t *value)
{
    const struct document *d = document_of_value(value);

    return d != NULL ? d->bytes : 0;
}

void
json_memory_release(json_t *root)
{
    struct document *d = document_of_value(root);

    if (d != NULL)
        free_document(d);
    else
        json_decref(root);
}
