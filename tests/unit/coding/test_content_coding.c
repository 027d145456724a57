/* test_content_coding.c - whole, cut, broken and odd bodies of each coding. */

#include "coding/content_coding.h"

#include "support/decode.h"
#include "support/encode.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>

static struct buffer text, body;

static void
setup(void)
{
    buffer_init(&text, SIZE_MAX);
    buffer_init(&body, SIZE_MAX);
    encode_make_text(&text, 3000);
}

static void
teardown(void)
{
    buffer_free(&text);
    buffer_free(&body);
    runner_check_leaks();
}

TestSuite(content_coding, .init = setup, .fini = teardown);

/* Every format, under each name that it is found under. */
static const struct {
    const char *coding;
    enum encode_format format;
} formats[] = {
    { "gzip", ENCODE_GZIP },    { "deflate", ENCODE_ZLIB }, { "deflate", ENCODE_RAW },
    { "br", ENCODE_BROTLI },    { "zstd", ENCODE_ZSTD },    { "gzip", ENCODE_ZLIB },
    { "deflate", ENCODE_GZIP },
};

#define FORMATS (sizeof formats / sizeof formats[0])

/* `body`, given in pieces, is whole and says `wanted`. */
static void
check_whole_in(const char *codings, const char *wanted, size_t n, size_t piece)
{
    struct decode d;

    decode_open(&d, codings);
    cr_assert_eq(decode_feed(&d, body.data, body.len, piece), CODING_OK, "%s: %s", codings,
                 d.err.detail);
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0, "%s: %s", codings, d.err.detail);
    cr_assert_eq(d.out.len, n, "%s: %zu bytes, not %zu", codings, d.out.len, n);
    cr_assert(n == 0 || memcmp(d.out.data, wanted, n) == 0);
    decode_close(&d);
}

/* So however it is split. */
static void
check_whole(const char *codings, const char *wanted, size_t n)
{
    check_whole_in(codings, wanted, n, body.len);
    check_whole_in(codings, wanted, n, 1);
    check_whole_in(codings, wanted, n, 2);
    check_whole_in(codings, wanted, n, 7);
}

/* The first `n` bytes of `body` are not whole; what comes of them is how the text begins. */
static void
check_cut(const char *codings, size_t n)
{
    struct decode d;

    decode_open(&d, codings);
    cr_assert_eq(decode_once(&d, body.data, n), CODING_OK, "%s, %zu: %s", codings, n, d.err.detail);
    cr_assert_eq(content_coding_finish(d.decoder, &d.err), -1, "%s, %zu", codings, n);
    cr_assert_eq(d.err.error, ERROR_INCOMPLETE_BODY);
    cr_assert_eq(strncmp(d.err.detail, "content-encoding ", 17), 0);
    cr_assert(d.out.len == 0 || memcmp(d.out.data, text.data, d.out.len) == 0);
    decode_close(&d);
}

/* `body`, given in pieces, is refused with this detail. */
static void
check_refused_in(const char *codings, const char *detail, size_t piece)
{
    struct decode d;

    decode_open(&d, codings);
    cr_assert_eq(decode_feed(&d, body.data, body.len, piece), CODING_FAILED, "%s", detail);
    cr_assert_eq(d.err.error, ERROR_PROTOCOL_ERROR);
    cr_assert_str_eq(d.err.detail, detail);
    decode_close(&d);
}

static void
check_refused(const char *codings, const char *detail)
{
    check_refused_in(codings, detail, body.len);
    check_refused_in(codings, detail, 1);
}

static void
add(const char *bytes, size_t n)
{
    buffer_add(&body, bytes, n);
}

/* -- each coding -------------------------------------------------------- */

Test(content_coding, each_coding_is_undone_however_it_is_split)
{
    for (size_t i = 0; i < FORMATS; i++) {
        buffer_clear(&body);
        encode(&body, formats[i].format, text.data, text.len);
        check_whole(formats[i].coding, text.data, text.len);
    }
}

Test(content_coding, a_body_of_many_slices_is_undone)
{
    encode_make_text(&text, 1000000);
    for (size_t i = 0; i < FORMATS; i++) {
        buffer_clear(&body);
        encode(&body, formats[i].format, text.data, text.len);
        check_whole_in(formats[i].coding, text.data, text.len, 16384);
        check_whole_in(formats[i].coding, text.data, text.len, body.len);
    }
}

Test(content_coding, a_body_cut_anywhere_is_incomplete)
{
    for (size_t i = 0; i < FORMATS; i++) {
        buffer_clear(&body);
        encode(&body, formats[i].format, text.data, text.len);
        for (size_t n = 1; n < body.len; n++)
            check_cut(formats[i].coding, n);
    }
}

Test(content_coding, nothing_encoded_is_whole_and_empty)
{
    for (size_t i = 0; i < FORMATS; i++) {
        buffer_clear(&body);
        encode(&body, formats[i].format, "", 0);
        check_whole(formats[i].coding, "", 0);
    }
}

Test(content_coding, a_body_without_any_byte_is_whole)
{
    struct decode d;

    for (size_t i = 0; i < FORMATS; i++) {
        decode_open(&d, formats[i].coding);
        cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0);
        cr_assert_eq(decode_once(&d, "", 0), CODING_OK);
        cr_assert_eq(content_coding_finish(d.decoder, &d.err), 0);
        decode_close(&d);
    }
}

Test(content_coding, other_bytes_than_the_coding_said_are_refused)
{
    add("<!doctype html>", 15);
    check_refused("gzip", "content-encoding gzip: the body is not gzip");
    check_refused("zstd", "content-encoding zstd: the body is not zstd");
    check_refused("deflate", "content-encoding deflate: invalid code lengths set");
    check_refused("br", "content-encoding br: malformed");
}

Test(content_coding, checksums_are_checked)
{
    encode(&body, ENCODE_GZIP, text.data, text.len);
    body.data[body.len - 8] ^= 1;
    check_refused("gzip", "content-encoding gzip: incorrect data check");
    body.data[body.len - 8] ^= 1;
    body.data[body.len - 1] ^= 1;
    check_refused("gzip", "content-encoding gzip: incorrect length check");

    buffer_clear(&body);
    encode(&body, ENCODE_ZLIB, text.data, text.len);
    body.data[body.len - 1] ^= 1;
    check_refused("deflate", "content-encoding deflate: incorrect data check");

    buffer_clear(&body);
    encode(&body, ENCODE_ZSTD, text.data, text.len);
    body.data[body.len - 1] ^= 1;
    check_refused("zstd", "content-encoding zstd: Restored data doesn't match checksum");
}

Test(content_coding, what_came_before_the_broken_byte_is_given_first)
{
    struct decode d;

    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i].format != ENCODE_GZIP && formats[i].format != ENCODE_ZLIB)
            continue; /* without a checksum; and zstd keeps what one call made before it failed */
        buffer_clear(&body);
        encode(&body, formats[i].format, text.data, text.len);
        body.data[body.len - 1] ^= 1;
        decode_open(&d, formats[i].coding);
        cr_assert_eq(decode_all(&d, body.data, body.len), CODING_FAILED);
        cr_assert_eq(d.out.len, text.len, "%zu", i);
        cr_assert_eq(memcmp(d.out.data, text.data, text.len), 0);
        decode_close(&d);
    }
}

/* -- gzip and deflate ----------------------------------------------------- */

Test(content_coding, all_members_of_gzip_are_undone)
{
    size_t half = text.len / 2;

    encode(&body, ENCODE_GZIP, text.data, half);
    encode(&body, ENCODE_GZIP, "", 0);
    encode(&body, ENCODE_GZIP, text.data + half, text.len - half);
    check_whole("gzip", text.data, text.len);
}

Test(content_coding, a_second_member_cut_anywhere_is_incomplete)
{
    size_t first;

    encode(&body, ENCODE_GZIP, text.data, 1000);
    first = body.len;
    encode(&body, ENCODE_GZIP, text.data + 1000, 500);
    for (size_t n = first + 1; n < body.len; n++)
        check_cut("gzip", n);
}

Test(content_coding, zero_bytes_behind_a_member_are_padding)
{
    char zeros[600] = "";

    encode(&body, ENCODE_GZIP, text.data, 1000);
    add(zeros, sizeof zeros);
    check_whole("gzip", text.data, 1000);
    encode(&body, ENCODE_GZIP, text.data + 1000, text.len - 1000);
    add(zeros, 1);
    check_whole("gzip", text.data, text.len);
}

Test(content_coding, a_broken_second_member_is_refused)
{
    encode(&body, ENCODE_GZIP, text.data, 1000);
    add("\x1f\x8b\x09\x00", 4);
    check_refused("gzip", "content-encoding gzip: unknown compression method");
}

Test(content_coding, a_dictionary_is_refused)
{
    add("\x78\xbb\x01\x02\x03\x04", 6); /* FDICT, and its checksum */
    check_refused("deflate", "content-encoding deflate: it needs a dictionary");
}

/* -- brotli and zstd ------------------------------------------------------ */

Test(content_coding, a_large_window_of_brotli_is_refused)
{
    encode_brotli(&body, 26, true, text.data, text.len);
    check_refused("br", "content-encoding br: its window is over 16 MiB");
}

Test(content_coding, all_frames_of_zstd_are_undone_and_skippable_ones_skipped)
{
    static const char skippable[] = "\x50\x2a\x4d\x18\x03\0\0\0xyz\x5f\x2a\x4d\x18\0\0\0\0";

    add(skippable, sizeof skippable - 1);
    check_whole("zstd", "", 0);
    encode(&body, ENCODE_ZSTD, text.data, 1000);
    add(skippable, sizeof skippable - 1);
    encode(&body, ENCODE_ZSTD, "", 0);
    encode(&body, ENCODE_ZSTD, text.data + 1000, text.len - 1000);
    add(skippable, sizeof skippable - 1);
    check_whole("zstd", text.data, text.len);
    check_cut("zstd", body.len - 1);
    check_cut("zstd", body.len - 6);
    check_cut("zstd", 10);
}

Test(content_coding, a_second_frame_cut_anywhere_is_incomplete)
{
    size_t first;

    encode(&body, ENCODE_ZSTD, text.data, 1000);
    first = body.len;
    encode(&body, ENCODE_ZSTD, text.data + 1000, 500);
    for (size_t n = first + 1; n < body.len; n++)
        check_cut("zstd", n);
}

Test(content_coding, a_window_of_zstd_is_taken_up_to_8_MiB)
{
    encode_make_text(&text, 9 << 20);
    encode_zstd(&body, 23, text.data, text.len);
    check_whole_in("zstd", text.data, text.len, body.len);

    buffer_clear(&body);
    encode_zstd(&body, 24, text.data, text.len);
    body.len = 1000;
    check_refused("zstd", "content-encoding zstd: its window is over 8 MiB");
}

Test(content_coding, formats_older_than_the_RFC_of_zstd_are_refused)
{
    add("\x27\xb5\x2f\xfd\x00\x00\x00\x00", 8); /* version 0.7 */
    check_refused("zstd", "content-encoding zstd: the body is not zstd");
}

/* -- behind the end ----------------------------------------------------- */

Test(content_coding, what_follows_the_end_is_ignored_as_browsers_do)
{
    static const char *const rests[] = { "x", "\r\n", "\x1fx", "(\xb5/x",
                                         "<!-- served in 3 ms -->" };

    for (size_t i = 0; i < FORMATS; i++)
        for (size_t j = 0; j < sizeof rests / sizeof rests[0]; j++) {
            buffer_clear(&body);
            encode(&body, formats[i].format, text.data, text.len);
            buffer_adds(&body, rests[j]);
            check_whole(formats[i].coding, text.data, text.len);
        }
}

Test(content_coding, over_1_MiB_behind_the_end_is_refused)
{
    size_t n = 1048576;
    char detail[100];

    for (size_t i = 0; i < FORMATS; i++)
        for (int rest = 0; rest <= 'x'; rest += 'x') {
            buffer_clear(&body);
            encode(&body, formats[i].format, text.data, text.len);
            memset(buffer_room(&body, n + 1), rest, n + 1);
            body.len += n;
            check_whole_in(formats[i].coding, text.data, text.len, 16384);
            body.len++;
            snprintf(detail, sizeof detail, "content-encoding %s: over 1 MiB follows its end",
                     formats[i].coding);
            check_refused_in(formats[i].coding, detail, 16384);
        }
}

/* -- several codings ------------------------------------------------------ */

/* `text`, as the list of formats says, the first one first. */
static void
encode_chain(const enum encode_format *chain, size_t count)
{
    struct buffer from;

    buffer_clear(&body);
    buffer_add(&body, text.data, text.len);
    for (size_t i = 0; i < count; i++) {
        from = body;
        buffer_init(&body, SIZE_MAX);
        encode(&body, chain[i], from.data, from.len);
        buffer_free(&from);
    }
}

Test(content_coding, several_codings_are_undone_from_the_last_to_the_first)
{
    static const enum encode_format chain[] = { ENCODE_GZIP, ENCODE_BROTLI, ENCODE_RAW,
                                                ENCODE_ZSTD };

    encode_chain(chain, 2);
    check_whole("gzip, br", text.data, text.len);
    encode_chain(chain, 4);
    check_whole("gzip, br, deflate, zstd", text.data, text.len);
    encode_chain(chain + 1, 3);
    check_whole("br, deflate, zstd", text.data, text.len);
}

Test(content_coding, a_long_body_passes_through_several_codings)
{
    static const enum encode_format chain[] = { ENCODE_ZSTD, ENCODE_GZIP, ENCODE_GZIP };

    encode_make_text(&text, 500000);
    encode_chain(chain, 3);
    check_whole_in("zstd, gzip, gzip", text.data, text.len, 16384);
    check_whole_in("zstd, gzip, gzip", text.data, text.len, 1);
}

Test(content_coding, an_inner_coding_that_is_cut_is_named)
{
    struct buffer inner;
    struct decode d;

    buffer_init(&inner, SIZE_MAX);
    encode(&inner, ENCODE_BROTLI, text.data, text.len);
    for (size_t n = 1; n < inner.len; n += 13) {
        buffer_clear(&body);
        encode(&body, ENCODE_GZIP, inner.data, n);
        decode_open(&d, "br, gzip");
        cr_assert_eq(decode_all(&d, body.data, body.len), CODING_FAILED);
        cr_assert_eq(d.err.error, ERROR_INCOMPLETE_BODY);
        cr_assert_str_eq(d.err.detail, "content-encoding br: the body ends before its coding does");
        decode_close(&d);
    }
    buffer_free(&inner);
}

Test(content_coding, an_inner_coding_that_is_broken_is_named)
{
    encode(&body, ENCODE_GZIP, text.data, text.len);
    check_refused("zstd, gzip", "content-encoding zstd: the body is not zstd");
}

/* -- the libraries ------------------------------------------------------------ */

Test(content_coding, the_libraries_are_linked_into_the_program)
{
    struct failure err = { 0 };

    cr_assert_eq(content_coding_check(&err), 0, "%s", err.detail);
}

/* libcurl brings its own: neither may ever call into the other's. */
Test(content_coding, the_libraries_are_hidden_from_all_others)
{
    static const char *const functions[] = { "inflate", "BrotliDecoderDecompressStream",
                                             "ZSTD_decompressStream" };
    Dl_info own, other;

    cr_assert(dladdr((const void *)content_coding_check, &own));
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *found = dlsym(RTLD_DEFAULT, functions[i]);

        cr_assert(found == NULL || (dladdr(found, &other) && other.dli_fbase != own.dli_fbase),
                  "%s", functions[i]);
    }
}
