/*
 * handoff_store.h - request objects too large for a header, kept for the hand-off that names them.
 *
 * Each is taken once at most, and goes after HANDOFF_STORE_SECONDS.  Safe to use from every thread.
 */
#ifndef ROUTES_HANDOFF_STORE_H
#define ROUTES_HANDOFF_STORE_H

#include "util/failure.h"

#include <stddef.h>

#define HANDOFF_STORE_SECONDS   60
#define HANDOFF_STORE_ITEMS_MAX 4096
#define HANDOFF_STORE_BYTES_MAX (64 * 1024 * 1024) /* of all together */
#define HANDOFF_STORE_NAME_SIZE 33                 /* 128 random bits in hexadecimal, and a NUL */

struct handoff_store;

/* NULL: no memory. */
struct handoff_store *handoff_store_new(void);

void handoff_store_free(struct handoff_store *s);

/*
 * Copies n bytes; the name to ask for them with goes into `name`.  -1: full (overloaded), or no
 * memory.
 */
int handoff_store_put(struct handoff_store *s, const char *text, size_t n,
                      char name[HANDOFF_STORE_NAME_SIZE], struct failure *err);

/* The caller frees; NULL: not there (any more). */
char *handoff_store_take(struct handoff_store *s, const char *name);

#endif
