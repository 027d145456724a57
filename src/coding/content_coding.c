/*
 * content_coding.c - undoes the content codings of one body, by zlib, brotli and zstd.
 *
 * A decoder is a row of stages, one a coding, the outermost first. Each has a slice for its output,
 * which is the input of the next one, or the sink's. A stage runs only while its slice is empty,
 * and the last one that can run goes first, so that memory stays bounded and a pause needs no more
 * than to stop: what was made waits in the slices, and `used` says how far the input was read.
 */

#include "coding/content_coding.h"

#include "coding/coding_stage.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * No coding makes its input much larger: the worst that is real is a member or a flush for every
 * byte. More, over all stages, is a chain made to keep us busy without a byte for the sink.
 */
#define WASTE_FREE  (4 << 20)
#define WASTE_RATIO 64

struct content_decoder {
    uint64_t taken; /* by all stages */
    uint64_t given; /* to the sink */
    size_t used;    /* of the bytes that will come again */
    uint8_t *kept;  /* a copy of those of them that are not used; NULL: there is none */
    size_t kept_at, kept_size;
    int count;
    struct coding_stage *stages[CONTENT_ENCODING_MAX];
};

struct content_decoder *
content_coding_new(const struct content_encoding *e)
{
    struct content_decoder *d = calloc(1, sizeof *d);

    assert(e->count > 0 && e->count <= CONTENT_ENCODING_MAX);
    while (d != NULL && d->count < e->count) {
        struct coding_stage *s = coding_stage_new(e->codings[e->count - 1 - d->count]);

        if (s == NULL) {
            content_coding_free(d);
            return NULL;
        }
        d->stages[d->count++] = s;
    }
    return d;
}

void
content_coding_free(struct content_decoder *d)
{
    for (int i = 0; d != NULL && i < d->count; i++)
        coding_stage_free(d->stages[i]);
    if (d != NULL)
        free(d->kept);
    free(d);
}

static enum coding_result
report(const struct coding_stage *s, struct failure *err)
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
        const struct coding_stage *s = d->stages[i];

        if ((i > 0 ? d->stages[i - 1]->len : left) > 0 || s->filled || s->result != STEP_OK)
            return i;
    }
    return -1;
}

/* Its input is what the stage before it has made, or the bytes of the body. */
static void
run_stage(struct content_decoder *d, int i, const uint8_t **in, size_t *left)
{
    struct coding_stage *before = i > 0 ? d->stages[i - 1] : NULL;
    const uint8_t *from = before != NULL ? before->start : *in, *to = from;
    size_t n = before != NULL ? before->len : *left;

    coding_stage_run(d->stages[i], &to, &n);
    d->taken += (uint64_t)(to - from);
    if (before != NULL) {
        before->start += to - from;
        before->len = n;
    } else {
        *in = to;
        *left = n;
    }
}

/* To the sink, what the last stage has made. */
static enum coding_result
deliver(struct content_decoder *d, coding_sink *sink, void *arg)
{
    struct coding_stage *last = d->stages[d->count - 1];
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
        if (d->stages[i]->result != STEP_OK)
            return report(d->stages[i], err);
        if (made >= CONTENT_CODING_TURN)
            return CODING_YIELDED;
        run_stage(d, i, in, left);
        made += d->stages[i]->len;
        if (d->taken > WASTE_FREE + WASTE_RATIO * d->given) {
            failure_set(err, ERROR_PROTOCOL_ERROR, "content-encoding: next to no body comes of it");
            return CODING_FAILED;
        }
    }
    return result;
}

static void
drop_kept(struct content_decoder *d)
{
    free(d->kept);
    d->kept = NULL;
    d->kept_at = d->kept_size = 0;
}

/* Without memory for it, the bytes are decoded when they come again. */
static void
keep(struct content_decoder *d, const uint8_t *bytes, size_t n)
{
    drop_kept(d);
    if (n == 0 || (d->kept = malloc(n)) == NULL)
        return;
    memcpy(d->kept, bytes, n);
    d->kept_size = n;
}

enum coding_result
content_coding_write(struct content_decoder *d, const char *bytes, size_t n, coding_sink *sink,
                     void *arg, struct failure *err)
{
    size_t again = n < d->used ? n : d->used;
    const uint8_t *in = (const uint8_t *)bytes + again;
    size_t left = n - again;
    enum coding_result result = decode(d, &in, &left, sink, arg, err);

    if (result == CODING_OK) {
        d->used -= again;
        drop_kept(d);
        return result;
    }
    if (d->used < n - left)
        d->used = n - left;
    keep(d, in, left);
    return result;
}

enum coding_result
content_coding_resume(struct content_decoder *d, coding_sink *sink, void *arg, struct failure *err)
{
    static const uint8_t none;
    const uint8_t *from = d->kept != NULL ? d->kept + d->kept_at : &none, *in = from;
    size_t left = d->kept_size - d->kept_at;
    enum coding_result result = decode(d, &in, &left, sink, arg, err);

    d->used += (size_t)(in - from);
    d->kept_at += (size_t)(in - from);
    return result;
}

size_t
content_coding_held(const struct content_decoder *d)
{
    size_t held = sizeof *d + d->kept_size;

    for (int i = 0; i < d->count; i++)
        held += coding_stage_held(d->stages[i]);
    return held;
}

int
content_coding_finish(const struct content_decoder *d, struct failure *err)
{
    for (int i = 0; i < d->count; i++)
        if (!coding_stage_is_whole(d->stages[i]))
            return failure_set(err, ERROR_INCOMPLETE_BODY,
                               "content-encoding %s: the body ends before its coding does",
                               content_encoding_name(d->stages[i]->coding));
    return 0;
}

int
content_coding_check(struct failure *err)
{
    const char *library = coding_stage_foreign_library();

    if (library == NULL)
        return 0;
    return failure_set(err, ERROR_INTERNAL,
                       "%s is not the copy that belongs to this program; link its static archive "
                       "before libcurl",
                       library);
}
