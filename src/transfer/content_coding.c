/*
 * content_coding.c - undoes the content codings of one body, by zlib, brotli and zstd.
 *
 * A decoder is a row of stages, one a coding, the outermost first. Each has a slice for its output,
 * which is the input of the next one, or the sink's. A stage runs only while its slice is empty, and
 * the last one that can run goes first, so that memory stays bounded and a pause needs no more than
 * to stop: what was made waits in the slices, and `used` says how far the input was read.
 */

#define ZLIB_CONST /* z_stream.next_in points to const */

#include "transfer/content_coding.h"

#include <assert.h>
#include <brotli/decode.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_WINDOW_LOG 23      /* 8 MiB, RFC 9659 */
#define IGNORED_MAX     1048576 /* bytes behind the end of a coding */

/*
 * No coding makes its input much larger: the worst that is real is a member or a flush for every
 * byte. More, over all stages, is a chain made to keep us busy without a byte for the sink.
 */
#define WASTE_FREE  (4 << 20)
#define WASTE_RATIO 64

enum phase {
    PHASE_START,  /* its first bytes are being gathered, to tell the format */
    PHASE_DECODE, /* within a stream, member or frame */
    PHASE_END,    /* behind one: another may follow */
    PHASE_IGNORE, /* behind the last one */
};

enum step { STEP_OK, STEP_BROKEN, STEP_NO_MEMORY };

/* Where a library reads and writes. */
struct span {
    const uint8_t *in;
    size_t left;
    uint8_t *out;
    size_t room;
};

struct stage {
    enum content_coding coding;
    enum phase phase;
    bool begun;      /* it has seen a byte */
    bool filled;     /* its slice was filled to the end, so that there may be more */
    bool is_gzip;    /* of zlib's formats the one that may have several members */
    uint8_t head[4]; /* first bytes, until they tell the format */
    size_t head_len;
    size_t ignored;
    const char *why; /* of STEP_BROKEN */
    union {
        z_stream zlib;
        BrotliDecoderState *brotli;
        ZSTD_DStream *zstd;
    };
    bool is_open;     /* the library's state is there */
    enum step result; /* of its last run; reported once what it made has been taken */
    uint8_t *start;   /* of what was made and has not been taken yet */
    size_t len;
    uint8_t slice[CONTENT_CODING_SLICE];
};

struct content_decoder {
    uint64_t taken; /* by all stages */
    uint64_t given; /* to the sink */
    size_t used;    /* of the bytes that will come again */
    int count;
    struct stage stages[];
};

static enum step
broken(struct stage *s, const char *why)
{
    s->why = why;
    return STEP_BROKEN;
}

static enum step
count_ignored(struct stage *s, size_t n)
{
    s->ignored += n;
    return s->ignored > IGNORED_MAX ? broken(s, "over 1 MiB follows its end") : STEP_OK;
}

static enum step
ignore_rest(struct stage *s, struct span *io)
{
    size_t n = io->left;

    s->phase = PHASE_IGNORE;
    io->in += n;
    io->left = 0;
    return count_ignored(s, n);
}

/* -- gzip and deflate ----------------------------------------------------- */

enum format { FORMAT_UNKNOWN, FORMAT_GZIP, FORMAT_ZLIB, FORMAT_RAW };

/*
 * By RFC 1952 section 2.3.1 and RFC 1950 section 2.2. A raw stream never begins like one of them: in
 * RFC 1951 0x1f is a reserved type of block, and 0x?8 a stored one whose padding isn't zero.
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

static enum step
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
static enum step
zlib_begin(struct stage *s, struct span *io)
{
    struct span head = { s->head, s->head_len, io->out, io->room };
    enum step step;

    s->phase = PHASE_DECODE;
    s->head_len = 0;
    step = zlib_inflate(s, &head);
    io->out = head.out;
    io->room = head.room;
    assert(step != STEP_OK || head.left == 0);
    return step;
}

static enum step
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
    if (format == FORMAT_RAW && s->coding == CODING_GZIP)
        return broken(s, "the body is not gzip");
    s->is_gzip = format == FORMAT_GZIP;
    s->zlib = (z_stream){ 0 };
    if (inflateInit2(&s->zlib, bits[format]) != Z_OK)
        return STEP_NO_MEMORY;
    s->is_open = true;
    return zlib_begin(s, io);
}

/* Zero bytes are padding, 0x1f 0x8b another member, all else is ignored. */
static enum step
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

static enum step
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

static enum step
brotli_start(struct stage *s)
{
    s->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (s->brotli == NULL)
        return STEP_NO_MEMORY;
    s->is_open = true;
    s->phase = PHASE_DECODE;
    BrotliDecoderSetParameter(s->brotli, BROTLI_DECODER_PARAM_LARGE_WINDOW, BROTLI_FALSE);
    return STEP_OK;
}

static enum step
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

static enum step
zstd_open(struct stage *s)
{
    s->zstd = ZSTD_createDStream();
    if (s->zstd == NULL)
        return STEP_NO_MEMORY;
    s->is_open = true;
    ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return STEP_OK;
}

static enum step
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
static enum step
zstd_start_frame(struct stage *s, struct span *io)
{
    struct span head = { s->head, sizeof s->head, io->out, io->room };
    enum step step;

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

static enum step
zstd_step(struct stage *s, struct span *io)
{
    if (s->phase == PHASE_DECODE)
        return zstd_decode(s, io);
    if (io->left == 0)
        return STEP_OK;
    return s->phase == PHASE_IGNORE ? ignore_rest(s, io) : zstd_start_frame(s, io);
}

/* -- a stage ---------------------------------------------------------------- */

static enum step
stage_step(struct stage *s, struct span *io)
{
    if (s->coding == CODING_BROTLI)
        return brotli_step(s, io);
    return s->coding == CODING_ZSTD ? zstd_step(s, io) : zlib_step(s, io);
}

/*
 * Decodes until the slice is full or the input empty. A library that leaves room in the slice has
 * nothing more to give, so it is not asked again without input.
 */
static enum step
stage_fill(struct stage *s, struct span *io)
{
    enum step step;
    size_t left, room;

    s->begun = true;
    do {
        left = io->left;
        room = io->room;
        step = stage_step(s, io);
        if (step == STEP_OK && io->left > 0 && io->left == left && io->room == room)
            step = broken(s, "its decoder does not move");
    } while (step == STEP_OK && io->left > 0 && io->room > 0);
    s->start = s->slice;
    s->len = sizeof s->slice - io->room;
    s->filled = io->room == 0;
    return step;
}

static bool
stage_is_whole(const struct stage *s)
{
    if (s->len > 0)
        return false;
    return !s->begun || s->phase == PHASE_IGNORE || (s->phase == PHASE_END && s->head_len == 0);
}

static void
stage_close(struct stage *s)
{
    if (!s->is_open)
        return;
    if (s->coding == CODING_BROTLI)
        BrotliDecoderDestroyInstance(s->brotli);
    else if (s->coding == CODING_ZSTD)
        ZSTD_freeDStream(s->zstd);
    else
        inflateEnd(&s->zlib);
}

/* -- the decoder ------------------------------------------------------------ */

struct content_decoder *
content_coding_new(const struct content_encoding *e)
{
    size_t count = (size_t)e->count;
    struct content_decoder *d = malloc(sizeof *d + count * sizeof d->stages[0]);

    assert(count > 0 && count <= CONTENT_ENCODING_MAX);
    if (d == NULL)
        return NULL;
    *d = (struct content_decoder){ .count = e->count };
    for (size_t i = 0; i < count; i++) {
        memset(&d->stages[i], 0, offsetof(struct stage, slice));
        d->stages[i].coding = e->codings[count - 1 - i];
    }
    return d;
}

void
content_coding_free(struct content_decoder *d)
{
    if (d == NULL)
        return;
    for (int i = 0; i < d->count; i++)
        stage_close(&d->stages[i]);
    free(d);
}

static enum coding_result
report(const struct stage *s, struct failure *err)
{
    if (s->result == STEP_NO_MEMORY)
        failure_no_memory(err);
    else
        failure_set(err, ERROR_PROTOCOL_ERROR, "content-encoding %s: %s",
                    content_encoding_name(s->coding), s->why != NULL ? s->why : "malformed");
    return CODING_FAILED;
}

/* The last stage that has something to do, as all behind it have nothing; -1: none has. */
static int
next_stage(const struct content_decoder *d, size_t left)
{
    for (int i = d->count - 1; i >= 0; i--) {
        const struct stage *s = &d->stages[i];

        if ((i > 0 ? d->stages[i - 1].len : left) > 0 || s->filled || s->result != STEP_OK)
            return i;
    }
    return -1;
}

static void
run_stage(struct content_decoder *d, int i, const uint8_t **in, size_t *left)
{
    struct stage *s = &d->stages[i], *before = i > 0 ? &d->stages[i - 1] : NULL;
    struct span io = { before != NULL ? before->start : *in, before != NULL ? before->len : *left,
                       s->slice, sizeof s->slice };
    const uint8_t *start = io.in;

    s->result = stage_fill(s, &io);
    d->taken += (uint64_t)(io.in - start);
    if (before != NULL) {
        before->start += io.in - start;
        before->len = io.left;
    } else {
        *in = io.in;
        *left = io.left;
    }
}

/* To the sink, what the last stage has made. */
static enum coding_result
deliver(struct content_decoder *d, coding_sink *sink, void *arg)
{
    struct stage *last = &d->stages[d->count - 1];
    enum coding_result result;

    if (last->len == 0)
        return CODING_OK;
    result = sink((const char *)last->start, last->len, arg);
    if (result == CODING_OK) {
        d->given += last->len;
        last->len = 0;
    }
    return result;
}

static enum coding_result
decode(struct content_decoder *d, const uint8_t **in, size_t *left, coding_sink *sink, void *arg,
       struct failure *err)
{
    enum coding_result result;
    size_t made = 0;
    int i;

    while ((result = deliver(d, sink, arg)) == CODING_OK && (i = next_stage(d, *left)) >= 0) {
        if (d->stages[i].result != STEP_OK)
            return report(&d->stages[i], err);
        if (made >= CONTENT_CODING_TURN)
            return CODING_YIELDED;
        run_stage(d, i, in, left);
        made += d->stages[i].len;
        if (d->taken > WASTE_FREE + WASTE_RATIO * d->given) {
            failure_set(err, ERROR_PROTOCOL_ERROR, "content-encoding: next to no body comes of it");
            return CODING_FAILED;
        }
    }
    return result;
}

enum coding_result
content_coding_write(struct content_decoder *d, const char *bytes, size_t n, coding_sink *sink,
                     void *arg, struct failure *err)
{
    size_t again = n < d->used ? n : d->used;
    const uint8_t *in = (const uint8_t *)bytes + again;
    size_t left = n - again;
    enum coding_result result = decode(d, &in, &left, sink, arg, err);

    if (result == CODING_OK)
        d->used -= again;
    else if (d->used < n - left)
        d->used = n - left;
    return result;
}

int
content_coding_finish(const struct content_decoder *d, struct failure *err)
{
    for (int i = 0; i < d->count; i++)
        if (!stage_is_whole(&d->stages[i]))
            return failure_set(err, ERROR_INCOMPLETE_BODY,
                               "content-encoding %s: the body ends before its coding does",
                               content_encoding_name(d->stages[i].coding));
    return 0;
}

/* -- the libraries -------------------------------------------------------------- */

static bool
is_linked_in(const void *function)
{
    Dl_info own, other;

    return dladdr((const void *)content_coding_check, &own) != 0 && dladdr(function, &other) != 0 &&
           own.dli_fbase == other.dli_fbase;
}

int
content_coding_check(struct failure *err)
{
    static const struct {
        const char *name;
        const void *function;
    } libraries[] = { { "zlib", (const void *)inflate },
                      { "brotli", (const void *)BrotliDecoderDecompressStream },
                      { "zstd", (const void *)ZSTD_decompressStream } };

    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        if (!is_linked_in(libraries[i].function))
            return failure_set(err, ERROR_INTERNAL,
                               "%s is not the copy that belongs to this program; link its static "
                               "archive before libcurl",
                               libraries[i].name);
    return 0;
}
