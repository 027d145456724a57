/* test_content_coding_flow.c - pauses, slices, bombs and memory of content codings. */

#include "support/decode.h"
#include "support/encode.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <string.h>

static struct buffer text, body;
static struct decode d;

static void
setup(void)
{
    buffer_init(&text, SIZE_MAX);
    buffer_init(&body, SIZE_MAX);
}

static void
teardown(void)
{
    decode_close(&d);
    buffer_free(&text);
    buffer_free(&body);
    runner_check_leaks();
}

TestSuite(content_coding_flow, .init = setup, .fini = teardown);

static const char *const codings[ENCODE_FORMATS] = { "gzip", "deflate", "deflate", "br", "zstd" };

static void
open_body(enum encode_format format, const char *bytes, size_t n)
{
    decode_close(&d);
    buffer_clear(&body);
    encode(&body, format, bytes, n);
    decode_open(&d, codings[format]);
}

static void
check_text(void)
{
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0, "%s", d.err.detail);
    cr_assert_eq(d.out.len, text.len, "%zu bytes, not %zu", d.out.len, text.len);
    cr_assert_eq(memcmp(d.out.data, text.data, text.len), 0);
}

/* -- pauses -------------------------------------------------------------- */

Test(content_coding_flow, a_pause_at_every_slice_loses_and_repeats_nothing)
{
    static const size_t pieces[] = { 1, 100, 16384, 1 << 20 };

    encode_make_text(&text, 200000);
    for (int format = 0; format < ENCODE_FORMATS; format++)
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            open_body(format, text.data, text.len);
            d.pauses = true;
            cr_assert_eq(decode_feed(&d, body.data, body.len, pieces[i]), CODING_OK);
            check_text();
            cr_assert_eq(d.calls % 2, 0, "each slice came twice");
        }
}

Test(content_coding_flow, a_pause_in_a_row_of_codings_loses_nothing)
{
    struct buffer inner;

    encode_make_text(&text, 200000);
    buffer_init(&inner, SIZE_MAX);
    encode(&inner, ENCODE_ZSTD, text.data, text.len);
    encode(&body, ENCODE_GZIP, inner.data, inner.len);
    decode_open(&d, "zstd, gzip");
    d.pauses = true;
    cr_assert_eq(decode_feed(&d, body.data, body.len, 1000), CODING_OK);
    check_text();
    buffer_free(&inner);
}

Test(content_coding_flow, while_paused_the_same_slice_comes_again)
{
    size_t calls = 0;

    encode_make_text(&text, 1000);
    open_body(ENCODE_GZIP, text.data, text.len);
    do {
        d.pauses = true;
        d.was_paused = false;
        cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
        cr_assert_eq(d.out.len, 0);
    } while (++calls < 5);
    d.pauses = false;
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_OK);
    check_text();
}

Test(content_coding_flow, after_a_pause_fewer_bytes_may_come_at_once)
{
    size_t half;

    encode_make_text(&text, 40000);
    open_body(ENCODE_GZIP, text.data, text.len);
    half = body.len / 2;
    d.pauses = true;
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
    d.pauses = false;
    cr_assert_eq(decode_once(&d, body.data, 10), CODING_OK);
    cr_assert_eq(decode_once(&d, body.data + 10, half - 10), CODING_OK);
    cr_assert_eq(decode_once(&d, body.data + half, body.len - half), CODING_OK);
    check_text();
}

Test(content_coding_flow, an_end_while_paused_is_no_end)
{
    encode_make_text(&text, 1000);
    open_body(ENCODE_GZIP, text.data, text.len);
    d.pauses = true;
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), -1);
    cr_assert_eq(d.err.error, ERROR_INCOMPLETE_BODY);
}

/* A server that flushes after each event must be heard at once. */
Test(content_coding_flow, what_has_come_is_given_at_once)
{
    encode_make_text(&text, 3000);
    for (int format = 0; format < ENCODE_FORMATS; format++) {
        size_t seen = 0, grown = 0;

        if (format == ENCODE_BROTLI || format == ENCODE_ZSTD)
            continue; /* their encoders make one block of so few bytes */
        open_body(format, text.data, text.len);
        for (size_t i = 0; i < body.len; i++) {
            cr_assert_eq(decode_once(&d, body.data + i, 1), CODING_OK);
            grown += d.out.len > seen;
            seen = d.out.len;
        }
        cr_assert_gt(grown, body.len / 2);
    }
}

/* `to`, until it has n bytes at least. */
static void
repeat(struct buffer *to, const struct buffer *piece, size_t n)
{
    while (to->len < n)
        buffer_add(to, piece->data, piece->len);
}

/* -- bombs --------------------------------------------------------------- */

Test(content_coding_flow, a_bomb_is_stopped_by_the_sink)
{
    size_t n = 64 << 20;
    char *zeros = calloc(1, n);

    for (int format = 0; format < ENCODE_FORMATS; format++) {
        open_body(format, zeros, n);
        cr_assert_lt(body.len, n / 900);
        d.stop_at = 3000000;
        cr_assert_eq(decode_feed(&d, body.data, body.len, body.len), CODING_STOPPED);
        cr_assert_lt(d.out.len, 3000000 + CONTENT_CODING_SLICE);
        cr_assert_eq(d.largest, CONTENT_CODING_SLICE);
        cr_assert_eq(d.yields, 2, "one for each MiB");
    }
    free(zeros);
}

Test(content_coding_flow, one_call_makes_1_MiB_at_most)
{
    size_t n = 20 << 20, before;
    char *zeros = calloc(1, n);
    enum coding_result result;

    open_body(ENCODE_ZSTD, zeros, n);
    do {
        before = d.out.len;
        result = decode_once(&d, body.data, body.len);
        cr_assert_leq(d.out.len - before, CONTENT_CODING_TURN + CONTENT_CODING_SLICE);
    } while (result == CODING_YIELDED);
    cr_assert_eq(result, CODING_OK);
    cr_assert_eq(d.out.len, n);
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0);
    free(zeros);
}

/* A row of codings where an inner one swallows what an outer one makes. */
Test(content_coding_flow, much_that_makes_nothing_is_refused)
{
    struct buffer empty;

    buffer_init(&empty, 100);
    encode(&empty, ENCODE_GZIP, "", 0);
    repeat(&text, &empty, 6 << 20);
    encode(&body, ENCODE_ZSTD, text.data, text.len);
    cr_assert_lt(body.len, 10000);
    buffer_free(&empty);
    decode_open(&d, "gzip, zstd");
    cr_assert_eq(decode_all(&d, body.data, body.len), CODING_FAILED);
    cr_assert_eq(d.err.error, ERROR_PROTOCOL_ERROR);
    cr_assert_str_eq(d.err.detail, "content-encoding: next to no body comes of it");
}

Test(content_coding_flow, a_member_for_every_byte_is_taken)
{
    size_t count = 400000;

    encode(&text, ENCODE_GZIP, "x", 1);
    repeat(&body, &text, count * text.len);
    decode_open(&d, "gzip");
    cr_assert_eq(decode_feed(&d, body.data, body.len, 16384), CODING_OK, "%s", d.err.detail);
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0);
    cr_assert_eq(d.out.len, count);
}

/* -- memory ---------------------------------------------------------------- */

static size_t
allocated(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

/* What a decoder holds once it has undone all bytes but the last one. */
static size_t
memory_of(const char *coding)
{
    size_t before = allocated(), held;

    decode_open(&d, coding);
    cr_assert_eq(decode_feed(&d, body.data, body.len - 1, 16384), CODING_OK, "%s", d.err.detail);
    cr_assert_gt(d.out.len, text.len - 100000);
    buffer_free(&d.out);
    held = content_coding_held(d.decoder);
    cr_assert_leq(allocated() - before, held + 1000);
    return held;
}

Test(content_coding_flow, memory_is_bounded)
{
    encode_make_text(&text, 20 << 20);
    encode(&body, ENCODE_GZIP, text.data, text.len);
    cr_assert_lt(memory_of("gzip"), (40 << 10) + 18000);
    decode_close(&d);

    buffer_clear(&body);
    encode_zstd(&body, 23, text.data, text.len);
    cr_assert_lt(memory_of("zstd"), (17 << 20) / 2);
    decode_close(&d);

    buffer_clear(&body);
    encode_brotli(&body, 24, false, text.data, text.len);
    cr_assert_lt(memory_of("br"), 17 << 20);
    cr_assert_gt(content_coding_held(d.decoder), 16 << 20, "the whole window");
}

Test(content_coding_flow, a_window_costs_as_much_as_there_is_in_it)
{
    encode_make_text(&text, 1 << 20);
    encode_zstd(&body, 23, text.data, text.len);
    decode_open(&d, "zstd");
    cr_assert_eq(decode_feed(&d, body.data, 20000, 16384), CODING_OK, "%s", d.err.detail);
    cr_assert_lt(content_coding_held(d.decoder), 1 << 20);
}

/* -- going on after a pause -------------------------------------------------- */

Test(content_coding_flow, what_was_kept_goes_on_without_libcurl)
{
    size_t turns = 0;

    encode_make_text(&text, 200000);
    for (int format = 0; format < ENCODE_FORMATS; format++) {
        open_body(format, text.data, text.len);
        d.pauses = true;
        cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
        while (decode_resume(&d) == CODING_PAUSED)
            turns++;
        cr_assert_gt(turns, 3);
        cr_assert_eq(decode_once(&d, body.data, body.len), CODING_OK, "the same bytes again");
        check_text();
    }
}

Test(content_coding_flow, more_may_follow_what_was_kept)
{
    encode_make_text(&text, 200000);
    open_body(ENCODE_GZIP, text.data, text.len);
    d.pauses = true;
    cr_assert_eq(decode_once(&d, body.data, body.len / 2), CODING_PAUSED);
    d.pauses = false;
    cr_assert_eq(decode_resume(&d), CODING_OK);
    cr_assert_eq(decode_resume(&d), CODING_OK, "there is nothing more");
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_OK);
    check_text();
}

Test(content_coding_flow, a_body_that_is_broken_after_a_pause_stays_broken)
{
    encode_make_text(&text, 200000);
    open_body(ENCODE_GZIP, text.data, text.len);
    body.data[body.len - 6] ^= 1; /* of the checksum */
    d.pauses = true;
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
    d.pauses = false;
    cr_assert_eq(decode_resume(&d), CODING_FAILED);
    cr_assert_eq(d.err.error, ERROR_PROTOCOL_ERROR);
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_FAILED);
}

Test(content_coding_flow, a_stop_after_a_pause_is_told)
{
    encode_make_text(&text, 200000);
    open_body(ENCODE_GZIP, text.data, text.len);
    d.pauses = true;
    cr_assert_eq(decode_once(&d, body.data, body.len), CODING_PAUSED);
    d.pauses = false;
    d.stop_at = 100000;
    cr_assert_eq(decode_resume(&d), CODING_STOPPED);
}
