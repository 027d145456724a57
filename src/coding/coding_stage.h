/*
 * coding_stage.h - one content coding of a body, undone by zlib, brotli or zstd into a slice.
 */
#ifndef CODING_CODING_STAGE_H
#define CODING_CODING_STAGE_H

#include "http/content_encoding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODING_STAGE_SLICE 16384 /* bytes */

enum coding_step { STEP_OK, STEP_BROKEN, STEP_NO_MEMORY };

struct coding_stage {
    enum content_coding coding;
    enum coding_step result; /* of its last run */
    const char *why;         /* of STEP_BROKEN, such as "incorrect data check" */
    uint8_t *start;          /* of what was made and has not been taken yet */
    size_t len;
    bool filled; /* the last run filled the slice, so that there may be more without input */
};

/* NULL: no memory. */
struct coding_stage *coding_stage_new(enum content_coding coding)
    __attribute__((warn_unused_result));
void coding_stage_free(struct coding_stage *s);

/*
 * Decodes into the slice, which must have been taken (len 0), until it is full or the input empty.
 * Both are moved behind what was read. Check the result once the slice has been taken.
 */
void coding_stage_run(struct coding_stage *s, const uint8_t **in, size_t *left);

/* It has come to its end, or has never seen a byte, and everything was taken. */
bool coding_stage_is_whole(const struct coding_stage *s);

/* Bytes of memory, with its own; of a window only what has been written to. */
size_t coding_stage_held(const struct coding_stage *s);

/* NULL, or the name of the library that is not the copy linked into this program. */
const char *coding_stage_foreign_library(void);

#endif
