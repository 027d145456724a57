/*
 * coding_memory.h - the memory of a decoder's library, counted.
 *
 * The origin chooses how much a decoder needs: up to 8 MiB with zstd, 20 MiB with br.  Large blocks
 * are mapped, so that the part of a window that no byte has come to costs nothing, and all of it
 * goes back to the kernel at the end of the body.
 */
#ifndef CODING_CODING_MEMORY_H
#define CODING_CODING_MEMORY_H

#include <stddef.h>

#define CODING_MEMORY_LARGE 131072 /* bytes: blocks from this size on are mapped */

/* Of one decoder; all zero before its first block. */
struct coding_memory {
    size_t small; /* bytes in blocks of the heap */
    size_t large; /* bytes in mapped blocks: touched or not */
};

/* NULL: no memory. */
void *coding_memory_alloc(struct coding_memory *m, size_t n) __attribute__((warn_unused_result));

/* A block of the same m; NULL is allowed. */
void coding_memory_free(struct coding_memory *m, void *block);

#endif
