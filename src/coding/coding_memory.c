/* coding_memory.c - the memory of a decoder's library, counted. */

#include "coding/coding_memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* The libraries free a block without telling its size. */
struct block {
    alignas(max_align_t) size_t size; /* with this header, which the library's part follows */
};

static struct block *
map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

void *
coding_memory_alloc(struct coding_memory *m, size_t n)
{
    size_t size = n + sizeof(struct block);
    bool is_large = size >= CODING_MEMORY_LARGE;
    struct block *b;

    if (size < n)
        return NULL;
    b = is_large ? map(size) : malloc(size);
    if (b == NULL)
        return NULL;
    b->size = size;
    *(is_large ? &m->large : &m->small) += size;
    return b + 1;
}

void
coding_memory_free(struct coding_memory *m, void *block)
{
    struct block *b;

    if (block == NULL)
        return;
    b = (struct block *)block - 1;
    if (b->size >= CODING_MEMORY_LARGE) {
        m->large -= b->size;
        munmap(b, b->size);
    } else {
        m->small -= b->size;
        free(b);
    }
}
