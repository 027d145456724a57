/*
 * content_coding.h - undoes the content codings of one body, by zlib, brotli and zstd.
 *
 * Bytes go in as they arrive; what they decode to goes to a callback, the sink, in slices. A body
 * is whole where every coding came to its own end, so a cut one is told from a broken one:
 *
 *     gzip     several members (RFC 1952 section 2.2), zero bytes between and behind them; like
 *              libcurl, a zlib stream in place of the first. Checksum and length are checked
 *     deflate  a zlib stream, or a raw one, as browsers take both; its first two bytes tell which
 *     br       no large window
 *     zstd     several frames, skippable ones too; a window of 8 MiB at most (RFC 9659)
 *
 * Other bytes behind the end are ignored up to 1 MiB, as browsers and gunzip do (libcurl fails):
 * the body is known to be whole by then. A body without any byte is whole, too: HEAD and 304 have
 * a Content-Encoding and no body.
 *
 * Memory of each coding: a slice of 16 KiB, and with gzip or deflate 40 KiB, with zstd 160 KiB and
 * up to 8 MiB of window, with br up to 16 MiB of window and 4 MiB of tables. The origin chooses the
 * window; content_coding_held() tells what it costs. A bomb is bounded by the sink, which sees each
 * slice before the next is made.
 */
#ifndef CODING_CONTENT_CODING_H
#define CODING_CONTENT_CODING_H

#include "coding/coding_stage.h"
#include "http/content_encoding.h"

#include <stddef.h>

/* What a request offers in Accept-Encoding. */
#define CONTENT_CODING_ACCEPT "gzip, deflate, br, zstd"

#define CONTENT_CODING_SLICE CODING_STAGE_SLICE /* the largest piece that a sink is given */
#define CONTENT_CODING_TURN  1048576 /* bytes made in one call, by all codings together */

enum coding_result {
    CODING_OK,      /* all bytes were taken */
    CODING_PAUSED,  /* by the sink: nothing was lost, give the same bytes again later */
    CODING_YIELDED, /* CONTENT_CODING_TURN was reached: the same, in the loop's next turn */
    CODING_STOPPED, /* by the sink, for good */
    CODING_FAILED,  /* err says why: protocol_error, incomplete_body or internal */
};

/*
 * Takes 1 to CONTENT_CODING_SLICE bytes, or none of them: CODING_OK, CODING_PAUSED (the same slice
 * comes again, at the next call) or CODING_STOPPED.
 */
typedef enum coding_result coding_sink(const char *bytes, size_t n, void *arg);

struct content_decoder;

/*
 * Best at the body's first byte: most bodies of 1xx, 3xx or HEAD never have one. `e` is not needed
 * any longer afterwards; its count must not be 0. NULL: no memory.
 */
struct content_decoder *content_coding_new(const struct content_encoding *e)
    __attribute__((warn_unused_result));
void content_coding_free(struct content_decoder *d);

/*
 * Decodes the next n bytes of the body. After CODING_PAUSED or CODING_YIELDED the next call must be
 * given the same bytes again, more may follow them: those that were used already are passed over.
 * So a write callback of libcurl returns n on CODING_OK, CURL_WRITEFUNC_PAUSE on these two.
 */
enum coding_result content_coding_write(struct content_decoder *d, const char *bytes, size_t n,
                                        coding_sink *sink, void *arg, struct failure *err)
    __attribute__((warn_unused_result));

/*
 * After CODING_PAUSED or CODING_YIELDED: goes on with a copy of the bytes that were not used.  Give
 * them to content_coding_write() again, and more, only once this says something else: libcurl reads
 * more each time that it is resumed, also where it is paused again at once, up to 64 MB.
 */
enum coding_result content_coding_resume(struct content_decoder *d, coding_sink *sink, void *arg,
                                         struct failure *err) __attribute__((warn_unused_result));

/* Bytes of memory; of a window only what has been written to. */
size_t content_coding_held(const struct content_decoder *d);

/*
 * The body has ended, and its last write was CODING_OK. 0, or -1: incomplete_body, as a coding has
 * not come to its end.
 */
int content_coding_finish(const struct content_decoder *d, struct failure *err)
    __attribute__((warn_unused_result));

/*
 * At start: 0, or -1 where zlib, brotli or zstd is not the copy that was linked into this program,
 * but another one that libcurl or a preloaded library brought: states of the two must not mix.
 */
int content_coding_check(struct failure *err) __attribute__((warn_unused_result));

#endif
