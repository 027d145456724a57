/*
 * shelf.h - request objects too large for a header, kept for the hand-off that names them.
 *
 * Each is taken once at most, and goes after SHELF_SECONDS.  Safe to use from every thread.
 */
#ifndef GATEWAY_SHELF_H
#define GATEWAY_SHELF_H

#include "util/error.h"

#include <stddef.h>

#define SHELF_SECONDS   60
#define SHELF_ITEMS_MAX 4096
#define SHELF_BYTES_MAX (64 * 1024 * 1024) /* of all together */
#define SHELF_NAME_SIZE 33                 /* 128 random bits in hexadecimal, and a NUL */

struct shelf;

struct shelf *shelf_new(void); /* NULL: no memory */
void shelf_free(struct shelf *s);

/*
 * Copies n bytes; the name to ask for them with goes into `name`.  -1: full (overloaded), or no
 * memory.
 */
int shelf_put(struct shelf *s, const char *text, size_t n, char name[SHELF_NAME_SIZE],
              struct failure *err);

char *
shelf_take(struct shelf *s, const char *name); /* the caller frees; NULL: not there (any more) */

#endif
