/*
 * coding_stage.c - one content coding of a body, undone by zlib, brotli or zstd into a slice.
 */

#define ZLIB_CONST               /* z_stream.next_in points to const */
#define ZSTD_STATIC_LINKING_ONLY /* for its allocators; the archive is a part of this program */

#include "coding/coding_stage.h"

#include "coding/coding_memory.h"

#include <assert.h>
#include <brotli/decode.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_WINDOW_LOG 23      /* 8 MiB, RFC 9659 */
#define IGNORED_MAX     1048576 /* bytes behind the end of a coding */

enum phase {
    PHASE_START,  /* its first bytes are being gathered, to tell the format */
    PHASE_DECODE, /* within a stream, member or frame */
    PHASE_END,    /* behind one: another may follow */
    PHASE_IGNORE, /* behind the last one */
};

/* Where a library reads and writes. */
struct span {
    const uint8_t *in;
    size_t left;
    uint8_t *out;
    size_t room;
};

struct stage {
    struct coding_stage shown; /* the first member */
    enum phase phase;
    bool begun;      /* it has seen a byte */
    bool is_gzip;    /* of zlib's formats the one that may have several members */
    uint8_t head[4]; /* first bytes, until they tell the format */
    size_t head_len;
    size_t ignored;              /* bytes behind the end */
    uint64_t made;               /* bytes, in all */
    bool is_open;                /* the library's state is there */
    struct coding_memory memory; /* of that state */
    union {
        z_stream zlib;
        BrotliDecoderState *brotli;
        ZSTD_DStream *zstd;
    };
    uint8_t slice[CODING_STAGE_SLICE];
};

static enum coding_step
broken(struct stage *s, const char *why)
{
    s->shown.why = why;
    return STEP_BROKEN;
}

static enum coding_step
count_ignored(struct stage *s, size_t n)
{
    s->ignored += n;
    return s->ignored > IGNORED_MAX ? broken(s, "over 1 MiB follows its end") : STEP_OK;
}

static enum coding_step
ignore_rest(struct stage *s, struct span *io)
{
    size_t n = io->left;

    s->phase = PHASE_IGNORE;
    io->in += n;
    io->left = 0;
    return count_ignored(s, n);
}

static void *
alloc_block(void *memory, size_t n)
{
    return coding_memory_alloc(memory, n);
}

static void
free_block(void *memory, void *block)
{
    coding_memory_free(memory, block);
}

/* -- gzip and deflate ----------------------------------------------------- */

static void *
alloc_items(void *memory, unsigned count, unsigned size)
{
    return coding_memory_alloc(memory, (size_t)count * size);
}

enum format { FORMAT_UNKNOWN, FORMAT_GZIP, FORMAT_ZLIB, FORMAT_RAW };

/*
 * By RFC 1952 section 2.3.1 and RFC 1950 section 2.2. A raw stream never begins like one of them:
 * in RFC 1951 0x1f is a reserved type of block, and 0x?8 a stored one whose padding isn't zero.
 */
static enum format
zlib_format(const uint8_t *head, size_t n)
{
    bool may_be_zlib = (head[0] & 0x0f) == Z_DEFLATED && head[0] >> 4 <= 7;

    if (n == 1)
        return head[0] == 0x1f || may_be_zlib ? FORMAT_UNKNOWN : FORMAT_RAW;
    if (head[0] == 0x1f && head[1] == 0x8b)
        return FORMAT_GZIP;
    return may_be_zlib && (head[0] << 8 | head[1]) % 31 == 0 ? FORMAT_ZLIB : FORMAT_RAW;
}

static enum coding_step
zlib_inflate(struct stage *s, struct span *io)
{
    z_stream *z = &s->zlib;
    int rc;

    z->next_in = io->in;
    z->avail_in = io->left < INT_MAX ? (uInt)io->left : INT_MAX;
    z->next_out = io->out;
    z->avail_out = (uInt)io->room;
    rc = inflate(z, Z_NO_FLUSH);
    io->left -= (size_t)(z->next_in - io->in);
    io->room -= (size_t)(z->next_out - io->out);
    io->in = z->next_in;
    io->out = z->next_out;
    if (rc == Z_STREAM_END)
        s->phase = s->is_gzip ? PHASE_END : PHASE_IGNORE;
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return STEP_OK;
    if (rc == Z_MEM_ERROR)
        return STEP_NO_MEMORY;
    return broken(s, rc == Z_NEED_DICT ? "it needs a dictionary" : z->msg);
}

/* The library reads the first bytes after all. They make no more than a few bytes of output. */
static enum coding_step
zlib_begin(struct stage *s, struct span *io)
{
    struct span head = { s->head, s->head_len, io->out, io->room };
    enum coding_step step;

    s->phase = PHASE_DECODE;
    s->head_len = 0;
    step = zlib_inflate(s, &head);
    io->out = head.out;
    io->room = head.room;
    assert(step != STEP_OK || head.left == 0);
    return step;
}

static enum coding_step
zlib_start(struct stage *s, struct span *io)
{
    static const int bits[] = {
        [FORMAT_GZIP] = 16 + MAX_WBITS, [FORMAT_ZLIB] = MAX_WBITS, [FORMAT_RAW] = -MAX_WBITS
    };
    enum format format;

    s->head[s->head_len++] = *io->in++;
    io->left--;
    format = zlib_format(s->head, s->head_len);
    if (format == FORMAT_UNKNOWN)
        return STEP_OK;
    if (format == FORMAT_RAW && s->shown.coding == CODING_GZIP)
        return broken(s, "the body is not gzip");
    s->is_gzip = format == FORMAT_GZIP;
    s->zlib = (z_stream){ .zalloc = alloc_items, .zfree = free_block, .opaque = &s->memory };
    if (inflateInit2(&s->zlib, bits[format]) != Z_OK)
        return STEP_NO_MEMORY;
    s->is_open = true;
    return zlib_begin(s, io);
}

/* Zero bytes are padding, 0x1f 0x8b another member, all else is ignored. */
static enum coding_step
zlib_next_member(struct stage *s, struct span *io)
{
    uint8_t c = *io->in;

    if (c != (s->head_len == 0 ? 0x1f : 0x8b) && (c != 0 || s->head_len > 0))
        return ignore_rest(s, io);
    io->in++;
    io->left--;
    if (c == 0)
        return count_ignored(s, 1);
    s->head[s->head_len++] = c;
    if (s->head_len < 2)
        return STEP_OK;
    inflateReset(&s->zlib);
    return zlib_begin(s, io);
}

static enum coding_step
zlib_step(struct stage *s, struct span *io)
{
    if (s->phase == PHASE_DECODE)
        return zlib_inflate(s, io);
    if (io->left == 0)
        return STEP_OK;
    if (s->phase == PHASE_START)
        return zlib_start(s, io);
    return s->phase == PHASE_END ? zlib_next_member(s, io) : ignore_rest(s, io);
}

/* -- brotli ------------------------------------------------------------- */

static bool
is_brotli_memory(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static enum coding_step
brotli_start(struct stage *s)
{
    s->brotli = BrotliDecoderCreateInstance(alloc_block, free_block, &s->memory);
    if (s->brotli == NULL)
        return STEP_NO_MEMORY;
    s->is_open = true;
    s->phase = PHASE_DECODE;
    BrotliDecoderSetParameter(s->brotli, BROTLI_DECODER_PARAM_LARGE_WINDOW, BROTLI_FALSE);
    return STEP_OK;
}

static enum coding_step
brotli_step(struct stage *s, struct span *io)
{
    BrotliDecoderResult rc;
    BrotliDecoderErrorCode code;

    if (s->phase == PHASE_IGNORE)
        return ignore_rest(s, io);
    if (!s->is_open && brotli_start(s) != STEP_OK)
        return STEP_NO_MEMORY;
    rc = BrotliDecoderDecompressStream(s->brotli, &io->left, &io->in, &io->room, &io->out, NULL);
    if (rc == BROTLI_DECODER_RESULT_SUCCESS)
        s->phase = PHASE_IGNORE;
    if (rc != BROTLI_DECODER_RESULT_ERROR)
        return STEP_OK;
    code = BrotliDecoderGetErrorCode(s->brotli);
    if (is_brotli_memory(code))
        return STEP_NO_MEMORY;
    return broken(s, code == BROTLI_DECODER_ERROR_FORMAT_WINDOW_BITS ? "its window is over 16 MiB"
                                                                     : "malformed");
}

/* -- zstd --------------------------------------------------------------- */

/* What the first n bytes may become: a frame, or a skippable one (RFC 8878 section 3.1). */
static bool
is_zstd_magic(const uint8_t *head, size_t n)
{
    static const uint8_t frame[4] = { 0x28, 0xb5, 0x2f, 0xfd };
    static const uint8_t skippable[4] = { 0x50, 0x2a, 0x4d, 0x18 };

    return memcmp(head, frame, n) == 0 ||
           ((head[0] & 0xf0) == skippable[0] && memcmp(head + 1, skippable + 1, n - 1) == 0);
}

static enum coding_step
zstd_open(struct stage *s)
{
    s->zstd = ZSTD_createDStream_advanced((ZSTD_customMem){ alloc_block, free_block, &s->memory });
    if (s->zstd == NULL)
        return STEP_NO_MEMORY;
    s->is_open = true;
    ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return STEP_OK;
}

static enum coding_step
zstd_decode(struct stage *s, struct span *io)
{
    ZSTD_inBuffer in = { io->in, io->left, 0 };
    ZSTD_outBuffer out = { io->out, io->room, 0 };
    size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);

    io->in += in.pos;
    io->left -= in.pos;
    io->out += out.pos;
    io->room -= out.pos;
    if (rc == 0)
        s->phase = PHASE_END;
    if (!ZSTD_isError(rc))
        return STEP_OK;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
        return STEP_NO_MEMORY;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
        return broken(s, "its window is over 8 MiB");
    return broken(s, ZSTD_getErrorName(rc));
}

/*
 * A frame's first four bytes are looked at before the library sees them: it would also take the
 * formats that were there before RFC 8878, and cannot tell what follows the last frame.
 */
static enum coding_step
zstd_start_frame(struct stage *s, struct span *io)
{
    struct span head = { s->head, sizeof s->head, io->out, io->room };
    enum coding_step step;

    s->head[s->head_len] = *io->in;
    if (!is_zstd_magic(s->head, s->head_len + 1))
        return s->phase == PHASE_END ? ignore_rest(s, io) : broken(s, "the body is not zstd");
    io->in++;
    io->left--;
    if (++s->head_len < sizeof s->head)
        return STEP_OK;
    if (!s->is_open && zstd_open(s) != STEP_OK)
        return STEP_NO_MEMORY;
    s->phase = PHASE_DECODE;
    s->head_len = 0;
    step = zstd_decode(s, &head);
    assert(step != STEP_OK || (head.left == 0 && head.room == io->room));
    return step;
}

static enum coding_step
zstd_step(struct stage *s, struct span *io)
{
    if (s->phase == PHASE_DECODE)
        return zstd_decode(s, io);
    if (io->left == 0)
        return STEP_OK;
    return s->phase == PHASE_IGNORE ? ignore_rest(s, io) : zstd_start_frame(s, io);
}

/* -- a stage ---------------------------------------------------------------- */

static enum coding_step
stage_step(struct stage *s, struct span *io)
{
    if (s->shown.coding == CODING_BROTLI)
        return brotli_step(s, io);
    return s->shown.coding == CODING_ZSTD ? zstd_step(s, io) : zlib_step(s, io);
}

void
coding_stage_run(struct coding_stage *shown, const uint8_t **in, size_t *left)
{
    struct stage *s = (struct stage *)shown;
    struct span io = { *in, *left, s->slice, sizeof s->slice };
    enum coding_step step;
    size_t before, room;

    s->begun = true;
    do {
        before = io.left;
        room = io.room;
        step = stage_step(s, &io);
        if (step == STEP_OK && io.left > 0 && io.left == before && io.room == room)
            step = broken(s, "its decoder does not move");
    } while (step == STEP_OK && io.left > 0 && io.room > 0);
    *in = io.in;
    *left = io.left;
    shown->result = step;
    shown->start = s->slice;
    shown->len = sizeof s->slice - io.room;
    s->made += shown->len;
    shown->filled = io.room == 0; /* a library that leaves room has nothing more to give */
}

bool
coding_stage_is_whole(const struct coding_stage *shown)
{
    const struct stage *s = (const struct stage *)shown;

    if (shown->len > 0)
        return false;
    return !s->begun || s->phase == PHASE_IGNORE || (s->phase == PHASE_END && s->head_len == 0);
}

/*
 * brotli fills its window before it gives a byte of it; the others have no more in one than what
 * they have given, and a block or two.
 */
size_t
coding_stage_held(const struct coding_stage *shown)
{
    const struct stage *s = (const struct stage *)shown;
    const struct coding_memory *m = &s->memory;
    uint64_t touched = s->made + (uint64_t)2 * ZSTD_BLOCKSIZE_MAX;

    if (shown->coding == CODING_BROTLI || touched > m->large)
        touched = m->large;
    return sizeof *s + m->small + (size_t)touched;
}

struct coding_stage *
coding_stage_new(enum content_coding coding)
{
    struct stage *s = malloc(sizeof *s);

    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct stage, slice));
    s->shown.coding = coding;
    return &s->shown;
}

static void
close_library(struct stage *s)
{
    if (!s->is_open)
        return;
    if (s->shown.coding == CODING_BROTLI)
        BrotliDecoderDestroyInstance(s->brotli);
    else if (s->shown.coding == CODING_ZSTD)
        ZSTD_freeDStream(s->zstd);
    else
        inflateEnd(&s->zlib);
}

void
coding_stage_free(struct coding_stage *shown)
{
    struct stage *s = (struct stage *)shown;

    if (s == NULL)
        return;
    close_library(s);
    free(s);
}

/* -- the libraries -------------------------------------------------------------- */

static bool
is_linked_in(const void *function)
{
    Dl_info own, other;

    return dladdr((const void *)coding_stage_run, &own) != 0 && dladdr(function, &other) != 0 &&
           own.dli_fbase == other.dli_fbase;
}

const char *
coding_stage_foreign_library(void)
{
    if (!is_linked_in((const void *)inflate))
        return "zlib";
    if (!is_linked_in((const void *)BrotliDecoderDecompressStream))
        return "brotli";
    return is_linked_in((const void *)ZSTD_decompressStream) ? NULL : "zstd";
}
