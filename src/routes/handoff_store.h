/*
 * handoff_store.h - request objects kept for the handoffs that refer to them.
 *
 * Each is used once at most, and expires after HANDOFF_STORE_SECONDS.  It remembers by which token
 * it was stored, whose right is judged again when it is used.  Thread-safe.
 */
#ifndef ROUTES_HANDOFF_STORE_H
#define ROUTES_HANDOFF_STORE_H

#include "util/failure.h"

#include <stddef.h>
#include <stdint.h>

#define HANDOFF_STORE_SECONDS   60
#define HANDOFF_STORE_ITEMS_MAX 4096
#define HANDOFF_STORE_BYTES_MAX (64 * 1024 * 1024) /* of all together */
#define HANDOFF_STORE_NAME_SIZE 33                 /* 128 random bits in hexadecimal, and a NUL */

struct handoff_store;

/* NULL: no memory. */
struct handoff_store *handoff_store_new(void);

void handoff_store_free(struct handoff_store *store);

/*
 * Copies n bytes; `name` becomes their reference.  `token`: by which they are stored (auth.h).  -1
 * with `err`: overloaded where the store is full, or this token has a quarter of it; or no memory.
 */
int handoff_store_put(struct handoff_store *store, const char *text, size_t n, uint64_t token,
                      char name[HANDOFF_STORE_NAME_SIZE], struct failure *err);

/* The caller frees; NULL: unknown, used already, or expired. */
char *handoff_store_take(struct handoff_store *store, const char *name, uint64_t *token);

#endif
