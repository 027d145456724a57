/*
 * codec_fixture.h - libfcgi over memory, as a connection uses it, and what a web server reads of
 * its responses.
 */
#ifndef SUPPORT_CODEC_FIXTURE_H
#define SUPPORT_CODEC_FIXTURE_H

#include "fastcgi/libfcgi_codec.h"
#include "util/buffer.h"

struct codec_fixture {
    struct buffer in, out; /* records from the web server, and to it */
    struct libfcgi_codec *codec;
};

struct answer { /* what a web server makes of `out` */
    struct buffer text;
    int id, ends, app_status, protocol_status, empty_stdouts;
};

void codec_fixture_open(struct codec_fixture *t);
void codec_fixture_close(struct codec_fixture *t);

/* A request with these parameters, a NULL after the last value; up to the end of PARAMS. */
void codec_fixture_accept(struct codec_fixture *t, const char *const *params);

#define CODEC_ACCEPT(t, ...) \
    codec_fixture_accept(t, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* Every record is whole, of version 1 and of one request; the caller frees the text. */
void codec_fixture_read(const struct codec_fixture *t, struct answer *a);

#endif
