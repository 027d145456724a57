/* libfcgi_memory.c - the memory that libfcgi works with: one block a request, reserved before. */

#include "fastcgi/libfcgi_memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * By libfcgi 2.4: two streams with 8 KiB of buffer, one with half a KiB, some structs.  A pair is
 * a string "name=value", and its place in an array, which is copied as it doubles.
 */
#define STREAMS_BYTES (20 * 1024)
#define PAIR_BYTES    (2 + 4 * sizeof(char *))

/* Before each allocation. */
struct header {
    alignas(max_align_t) size_t size;
};

static _Thread_local struct libfcgi_memory *current;

/* What the header and the alignment may add. */
#define OVERHEAD (sizeof(struct header) + alignof(max_align_t))

int
libfcgi_memory_reserve(struct libfcgi_memory *m, size_t bytes, size_t pairs)
{
    size_t size = STREAMS_BYTES + bytes + pairs * (PAIR_BYTES + OVERHEAD);
    char *block = malloc(size);

    if (block == NULL)
        return -1;
    *m = (struct libfcgi_memory){ .block = block, .size = size };
    return 0;
}

void
libfcgi_memory_release(struct libfcgi_memory *m)
{
    free(m->block);
    *m = (struct libfcgi_memory){ 0 };
}

void
libfcgi_memory_use(struct libfcgi_memory *m)
{
    current = m;
}

static bool
is_inside(const void *p)
{
    uintptr_t at = (uintptr_t)p;

    return current != NULL && current->block != NULL && at >= (uintptr_t)current->block &&
           at < (uintptr_t)current->block + current->size;
}

void *
libfcgi_memory_malloc(size_t n)
{
    size_t align = alignof(max_align_t), size = (n + align - 1) / align * align;
    struct header *header;

    if (current == NULL || current->block == NULL)
        return malloc(n);
    if (n > current->size || size + sizeof *header > current->size - current->used) {
        current->outside++;
        return malloc(n);
    }
    header = (struct header *)(current->block + current->used);
    header->size = size;
    current->used += sizeof *header + size;
    return header + 1;
}

void *
libfcgi_memory_realloc(void *p, size_t n)
{
    const struct header *header;
    void *grown;

    if (p == NULL)
        return libfcgi_memory_malloc(n);
    if (!is_inside(p))
        return realloc(p, n);
    header = (const struct header *)p - 1;
    if (n <= header->size)
        return p;
    if ((grown = libfcgi_memory_malloc(n)) != NULL)
        memcpy(grown, p, header->size);
    return grown;
}

void
libfcgi_memory_free(void *p)
{
    if (!is_inside(p)) /* or all at once, by libfcgi_memory_release() */
        free(p);
}
