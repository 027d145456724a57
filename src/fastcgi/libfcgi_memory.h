/*
 * libfcgi_memory.h - the memory that libfcgi works with: one block a request, reserved before.
 *
 * libfcgi ends the process where an allocation fails.  So the linker gives it these functions in
 * the place of malloc(), realloc() and free() (see the Makefile), and it is given a request only
 * once a block is there for all that it will allocate.  What does not fit comes from malloc() after
 * all.
 */
#ifndef FASTCGI_LIBFCGI_MEMORY_H
#define FASTCGI_LIBFCGI_MEMORY_H

#include <stddef.h>

struct libfcgi_memory {
    char *block;
    size_t size, used;
    size_t outside; /* allocations that did not fit, of this request */
};

/* For a request with so many bytes of parameters, in so many pairs.  -1: no memory. */
int libfcgi_memory_reserve(struct libfcgi_memory *m, size_t bytes, size_t pairs);

/* libfcgi has freed all of it. */
void libfcgi_memory_release(struct libfcgi_memory *m);

/* What libfcgi allocates in this thread from now on comes from there; NULL: from malloc(). */
void libfcgi_memory_use(struct libfcgi_memory *m);

/* libfcgi's malloc(), realloc() and free(). */
void *libfcgi_memory_malloc(size_t n);
void *libfcgi_memory_realloc(void *p, size_t n);
void libfcgi_memory_free(void *p);

#endif
