/* libfcgi_codec.c - libfcgi as a codec: it reads from and writes to memory. */

#include "fastcgi/libfcgi_codec.h"

#include "fastcgi/libfcgi_memory.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STAND_IN_FD INT_MAX /* no real descriptor: libfcgi passes it to OS_Read() alone */

#define NAME_WORDS 4
#define NAME_BITS  (NAME_WORDS * 64)

struct libfcgi_codec {
    FCGX_Request request;
    struct buffer *in, *out;
    size_t taken; /* of in */
    bool keep;
    uint64_t names[NAME_WORDS]; /* bits of the parameters' names: one whose bit is 0 isn't there */
    struct libfcgi_memory memory;
};

/* The connection whose request libfcgi is working on in this thread. */
static _Thread_local struct libfcgi_codec *current;

static void
enter(struct libfcgi_codec *codec)
{
    current = codec;
    libfcgi_memory_use(&codec->memory);
}

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

/* All below are about sockets and signals, which are not libfcgi's business here. */

int
OS_LibInit(int fds[3])
{
    (void)fds;
    return 0;
}

int
OS_Accept(int fd, int fail_on_interrupt, const char *addresses)
{
    (void)fd;
    (void)fail_on_interrupt;
    (void)addresses;
    errno = EBADF;
    return -1;
}

int
OS_CreateLocalIpcFd(const char *path, int backlog)
{
    (void)path;
    (void)backlog;
    errno = EBADF;
    return -1;
}

int
OS_IsFcgi(int fd)
{
    (void)fd;
    return 1;
}

void
OS_ShutdownPending(void)
{
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

int
libfcgi_codec_reserve(struct libfcgi_codec *codec, size_t bytes, size_t pairs)
{
    libfcgi_codec_abandon(codec); /* what a request before has left, or its memory would be lost */
    return libfcgi_memory_reserve(&codec->memory, bytes, pairs);
}

size_t
libfcgi_codec_unreserved(const struct libfcgi_codec *codec)
{
    return codec->memory.outside;
}

/* -- names of parameters ------------------------------------------------- */

/* Which of the NAME_BITS stands for the name: few usual names share one. */
static unsigned
name_bit(const char *name, size_t n)
{
    unsigned last = n > 0 ? (unsigned char)name[n - 1] : 0;
    unsigned middle = n > 0 ? (unsigned char)name[n / 2] : 0;

    return ((unsigned)n * 37 + last * 11 + middle * 5) % NAME_BITS;
}

/* libfcgi compares all names for each question, and most questions are about what isn't there. */
static void
note_names(struct libfcgi_codec *codec)
{
    memset(codec->names, 0, sizeof codec->names);
    for (char **pair = codec->request.envp; *pair != NULL; pair++) {
        unsigned bit = name_bit(*pair, strcspn(*pair, "="));

        codec->names[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static bool
may_have(const struct libfcgi_codec *codec, const char *name)
{
    unsigned bit = name_bit(name, strlen(name));

    return (codec->names[bit / 64] >> bit % 64 & 1) != 0;
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
    enter(codec);
    codec->request.ipcFd = STAND_IN_FD;
    codec->request.keepConnection = 1;
    if (FCGX_Accept_r(&codec->request) != 0 || FCGX_GetError(codec->request.in) != 0)
        return -1;
    codec->keep = codec->request.keepConnection != 0;
    codec->request.keepConnection = 1;
    note_names(codec);
    drop_taken(codec);
    return 0;
}

int
libfcgi_codec_read_body(struct libfcgi_codec *codec, struct buffer *body)
{
    char chunk[16384];
    int n;

    enter(codec);
    while ((n = FCGX_GetStr(chunk, sizeof chunk, codec->request.in)) > 0)
        buffer_add(body, chunk, (size_t)n);
    drop_taken(codec);
    return FCGX_GetError(codec->request.in) == 0 && buffer_ok(body) ? 0 : -1;
}

void
libfcgi_codec_write(struct libfcgi_codec *codec, const void *bytes, size_t n)
{
    const char *at = bytes;

    enter(codec);
    while (n > 0) { /* FCGX_PutStr() takes an int */
        int part = n > INT_MAX ? INT_MAX : (int)n;

        if (FCGX_PutStr(at, part, codec->request.out) != part)
            return; /* buffer_ok(out) is false now */
        at += part;
        n -= (size_t)part;
    }
}

void
libfcgi_codec_write_stderr(struct libfcgi_codec *codec, const char *text)
{
    enter(codec);
    FCGX_PutS(text, codec->request.err);
    FCGX_FFlush(codec->request.err);
}

void
libfcgi_codec_flush(struct libfcgi_codec *codec)
{
    enter(codec);
    FCGX_FFlush(codec->request.out);
}

void
libfcgi_codec_finish(struct libfcgi_codec *codec)
{
    enter(codec);
    FCGX_Finish_r(&codec->request);
    libfcgi_memory_release(&codec->memory);
}

void
libfcgi_codec_abandon(struct libfcgi_codec *codec)
{
    enter(codec);
    FCGX_Free(&codec->request, 0);
    libfcgi_memory_release(&codec->memory);
}

const char *
libfcgi_codec_param(const struct libfcgi_codec *codec, const char *name)
{
    return may_have(codec, name) ? FCGX_GetParam(name, codec->request.envp) : NULL;
}

bool
libfcgi_codec_keeps_connection(const struct libfcgi_codec *codec)
{
    return codec->keep;
}
