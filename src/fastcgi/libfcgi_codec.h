/*
 * libfcgi_codec.h - libfcgi as a codec: it reads from and writes to memory.
 *
 * libfcgi does all its I/O through three functions that a program may supply:
 * OS_Read, OS_Write and OS_IpcClose (fcgios.h).  Here they move bytes between
 * libfcgi and the buffers of the connection at hand, so that libfcgi speaks
 * all of the FastCGI and never blocks, and the connection owns its socket.
 */
#ifndef FASTCGI_LIBFCGI_CODEC_H
#define FASTCGI_LIBFCGI_CODEC_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct libfcgi_codec; /* one connection's side of libfcgi */

/* Once, before any thread; takes over no signal. */
int libfcgi_codec_start(void);

/*
 * Screened records are read, and dropped, from `in`; records to be sent go to `out`.  Both stay
 * the caller's.
 */

/* NULL: no memory. */
struct libfcgi_codec *libfcgi_codec_new(struct buffer *in, struct buffer *out);

void libfcgi_codec_free(struct libfcgi_codec *codec);

/* The parameters in `in` are whole; -1: they are not. */
int libfcgi_codec_accept(struct libfcgi_codec *codec);

/* STDIN in `in` is whole; -1: it is not. */
int libfcgi_codec_read_body(struct libfcgi_codec *codec, struct buffer *body);

void libfcgi_codec_write(struct libfcgi_codec *codec, const void *bytes, size_t n);

/* What was written goes to `out` now, not only when 8 KiB are full. */
void libfcgi_codec_flush(struct libfcgi_codec *codec);

/* End of STDOUT and of the request; ready for the next. */
void libfcgi_codec_finish(struct libfcgi_codec *codec);

/* The request ends without a word. */
void libfcgi_codec_abandon(struct libfcgi_codec *codec);

/* NULL: absent. */
const char *libfcgi_codec_param(const struct libfcgi_codec *codec, const char *name);

/* FCGI_KEEP_CONN */
bool libfcgi_codec_keeps_connection(const struct libfcgi_codec *codec);

#endif
