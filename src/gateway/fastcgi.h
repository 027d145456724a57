/*
 * fastcgi.h - libfcgi as a codec: it reads from and writes to memory.
 *
 * libfcgi does all its I/O through three functions that a program may supply:
 * OS_Read, OS_Write and OS_IpcClose (fcgios.h).  Here they move bytes between
 * libfcgi and the buffers of the connection at hand, so that libfcgi speaks
 * all of the FastCGI and never blocks, and the connection owns its socket.
 */
#ifndef GATEWAY_FASTCGI_H
#define GATEWAY_FASTCGI_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct fastcgi; /* one connection's side of libfcgi */

int fastcgi_start(void); /* once, before any thread; takes over no signal */

/*
 * Screened records are read, and dropped, from `in`; records to be sent go to `out`.  Both stay
 * the caller's.
 */
struct fastcgi *fastcgi_new(struct buffer *in, struct buffer *out); /* NULL: no memory */
void fastcgi_free(struct fastcgi *f);

int fastcgi_accept(struct fastcgi *f); /* the parameters in `in` are whole; -1: they are not */
int fastcgi_read_body(struct fastcgi *f,
                      struct buffer *body); /* STDIN in `in` is whole; -1: it is not */
void fastcgi_write(struct fastcgi *f, const void *bytes, size_t n);
void fastcgi_flush(
    struct fastcgi *f); /* what was written goes to `out` now, not only when 8 KiB are full */
void fastcgi_finish(struct fastcgi *f);  /* end of STDOUT and of the request; ready for the next */
void fastcgi_abandon(struct fastcgi *f); /* the request ends without a word */

const char *fastcgi_param(const struct fastcgi *f, const char *name); /* NULL: absent */
bool fastcgi_keeps(const struct fastcgi *f);                          /* FCGI_KEEP_CONN */

#endif
