/*
 * libfcgi_codec.h - libfcgi as a codec: it reads from and writes to memory.
 *
 * libfcgi does all its I/O through functions that a program may supply (OS_Read,
 * OS_Write and others, fcgios.h).  Here they move bytes between libfcgi and two
 * buffers of the connection, so that libfcgi speaks all of FastCGI and never
 * blocks, and the connection owns its socket.
 */
#ifndef FASTCGI_LIBFCGI_CODEC_H
#define FASTCGI_LIBFCGI_CODEC_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct libfcgi_codec; /* of one connection */

/* Once, before any thread starts. */
int libfcgi_codec_start(void);

/*
 * Checked records are read from `in` and dropped there; records to be sent are appended to `out`.
 * Both stay the caller's.  NULL: no memory.
 */
struct libfcgi_codec *libfcgi_codec_new(struct buffer *in, struct buffer *out);

void libfcgi_codec_free(struct libfcgi_codec *codec);

/*
 * Before the next: the memory that libfcgi will need for a request with so many bytes of
 * parameters, in so many pairs.  -1: there is none, and libfcgi must not be given the request.
 */
int libfcgi_codec_reserve(struct libfcgi_codec *codec, size_t bytes, size_t pairs)
    __attribute__((warn_unused_result));

/* Allocations of this request that were not among what was reserved. */
size_t libfcgi_codec_unreserved(const struct libfcgi_codec *codec);

/* Reads the parameters, which are complete in `in`.  -1: malformed. */
int libfcgi_codec_accept(struct libfcgi_codec *codec);

/* Reads STDIN, which is complete in `in`.  -1: malformed, or no memory. */
int libfcgi_codec_read_body(struct libfcgi_codec *codec, struct buffer *body);

void libfcgi_codec_write(struct libfcgi_codec *codec, const void *bytes, size_t n);

/* In a record of its own, at once; what was written before must have been flushed. */
void libfcgi_codec_write_stderr(struct libfcgi_codec *codec, const char *text);

/* Moves to `out` what was written, rather than wait until 8 KiB are full. */
void libfcgi_codec_flush(struct libfcgi_codec *codec);

/* End of STDOUT and of the request; ready for the next. */
void libfcgi_codec_finish(struct libfcgi_codec *codec);

/* Forgets the request, without an end record. */
void libfcgi_codec_abandon(struct libfcgi_codec *codec);

/* NULL: absent. */
const char *libfcgi_codec_param(const struct libfcgi_codec *codec, const char *name);

/* FCGI_KEEP_CONN */
bool libfcgi_codec_keeps_connection(const struct libfcgi_codec *codec);

#endif
