/* libfcgi_codec.c - libfcgi as a codec: it reads from and writes to memory. */

#include "fastcgi/libfcgi_codec.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STAND_IN_FD INT_MAX /* no real descriptor: libfcgi passes it to OS_Read() alone */

struct libfcgi_codec {
    FCGX_Request request;
    struct buffer *in, *out;
    size_t taken; /* of in */
    bool keep;
};

/* The connection whose request libfcgi is working on in this thread. */
static _Thread_local struct libfcgi_codec *current;

/* -- what libfcgi calls -------------------------------------------------- */

int
OS_Read(int fd, char *bytes, size_t n)
{
    size_t left = current->in->len - current->taken;

    (void)fd;
    n = n < left ? n : left;
    if (n > 0)
        memcpy(bytes, current->in->data + current->taken, n);
    current->taken += n;
    return (int)n;
}

int
OS_Write(int fd, char *bytes, size_t n)
{
    (void)fd;
    buffer_add(current->out, bytes, n);
    if (buffer_ok(current->out))
        return (int)n;
    errno = ENOBUFS;
    return -1;
}

int
OS_IpcClose(int fd, int shutdown)
{
    (void)fd;
    (void)shutdown;
    return 0; /* the connection closes its socket itself */
}

/* -- what we call -------------------------------------------------------- */

/* libfcgi has its own copy of what it has read. */
static void
drop_taken(struct libfcgi_codec *codec)
{
    buffer_drop(codec->in, codec->taken);
    codec->taken = 0;
}

int
libfcgi_codec_start(void)
{
    return FCGX_Init() == 0 ? 0 : -1;
}

struct libfcgi_codec *
libfcgi_codec_new(struct buffer *in, struct buffer *out)
{
    struct libfcgi_codec *codec = calloc(1, sizeof *codec);

    if (codec == NULL)
        return NULL;
    codec->in = in;
    codec->out = out;
    FCGX_InitRequest(&codec->request, -1, 0);
    return codec;
}

void
libfcgi_codec_free(struct libfcgi_codec *codec)
{
    if (codec == NULL)
        return;
    libfcgi_codec_abandon(codec);
    free(codec);
}

/*
 * The one place that knows libfcgi's private fields: FCGX_Accept_r() reads
 * from an open ipcFd, having first "finished" the request before, which
 * does not close the descriptor if keepConnection is set.  On malformed bytes
 * it calls accept(), which fails at once on listen_sock -1.  It also returns 0
 * for parameters that were cut short, so FCGX_GetError() is asked as well.
 */
int
libfcgi_codec_accept(struct libfcgi_codec *codec)
{
    current = codec;
    codec->request.ipcFd = STAND_IN_FD;
    codec->request.keepConnection = 1;
    if (FCGX_Accept_r(&codec->request) != 0 || FCGX_GetError(codec->request.in) != 0)
        return -1;
    codec->keep = codec->request.keepConnection != 0;
    codec->request.keepConnection = 1;
    drop_taken(codec);
    return 0;
}

int
libfcgi_codec_read_body(struct libfcgi_codec *codec, struct buffer *body)
{
    char chunk[16384];
    int n;

    current = codec;
    while ((n = FCGX_GetStr(chunk, sizeof chunk, codec->request.in)) > 0)
        buffer_add(body, chunk, (size_t)n);
    drop_taken(codec);
    return FCGX_GetError(codec->request.in) == 0 && buffer_ok(body) ? 0 : -1;
}

void
libfcgi_codec_write(struct libfcgi_codec *codec, const void *bytes, size_t n)
{
    const char *at = bytes;

    current = codec;
    while (n > 0) { /* FCGX_PutStr() takes an int */
        int part = n > INT_MAX ? INT_MAX : (int)n;

        if (FCGX_PutStr(at, part, codec->request.out) != part)
            return; /* buffer_ok(out) is false now */
        at += part;
        n -= (size_t)part;
    }
}

void
libfcgi_codec_flush(struct libfcgi_codec *codec)
{
    current = codec;
    FCGX_FFlush(codec->request.out);
}

void
libfcgi_codec_finish(struct libfcgi_codec *codec)
{
    current = codec;
    FCGX_Finish_r(&codec->request);
}

void
libfcgi_codec_abandon(struct libfcgi_codec *codec)
{
    current = codec;
    FCGX_Free(&codec->request, 0);
}

const char *
libfcgi_codec_param(const struct libfcgi_codec *codec, const char *name)
{
    return FCGX_GetParam(name, codec->request.envp);
}

bool
libfcgi_codec_keeps_connection(const struct libfcgi_codec *codec)
{
    return codec->keep;
}
