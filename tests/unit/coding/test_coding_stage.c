/* test_coding_stage.c - one content coding of a body, undone into a slice. */

#include "coding/coding_stage.h"

#include "support/encode.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buffer text, body;

static void
setup(void)
{
    buffer_init(&text, 1 << 20);
    buffer_init(&body, 1 << 20);
    encode_make_text(&text, 3 * CODING_STAGE_SLICE + 5);
    encode(&body, ENCODE_GZIP, text.data, text.len);
}

static void
teardown(void)
{
    buffer_free(&text);
    buffer_free(&body);
}

TestSuite(coding_stage, .init = setup, .fini = teardown, .timeout = 20);

/* Runs until nothing more comes of the first n bytes; `out` is what came. */
static void
run(struct coding_stage *s, size_t n, struct buffer *out)
{
    const uint8_t *in = (const uint8_t *)body.data;

    do {
        coding_stage_run(s, &in, &n);
        cr_assert_leq(s->len, CODING_STAGE_SLICE);
        buffer_add(out, s->start, s->len);
        s->len = 0;
    } while (s->result == STEP_OK && (n > 0 || s->filled));
}

Test(coding_stage, a_body_comes_in_slices_and_is_whole_at_its_end)
{
    struct coding_stage *s = coding_stage_new(CODING_GZIP);
    struct buffer out;

    buffer_init(&out, 1 << 20);
    cr_assert(coding_stage_is_whole(s), "it has not seen a byte");
    run(s, body.len, &out);
    cr_assert_eq(s->result, STEP_OK);
    cr_assert(coding_stage_is_whole(s));
    cr_assert_eq(out.len, text.len);
    cr_assert_eq(memcmp(out.data, text.data, text.len), 0);
    buffer_free(&out);
    coding_stage_free(s);
}

Test(coding_stage, a_body_cut_short_is_not_whole)
{
    struct coding_stage *s = coding_stage_new(CODING_GZIP);
    struct buffer out;

    buffer_init(&out, 1 << 20);
    run(s, body.len - 1, &out);
    cr_assert_eq(s->result, STEP_OK);
    cr_assert_not(coding_stage_is_whole(s));
    buffer_free(&out);
    coding_stage_free(s);
}

Test(coding_stage, a_checksum_that_is_wrong_breaks_it_and_says_why)
{
    struct coding_stage *s = coding_stage_new(CODING_GZIP);
    struct buffer out;

    buffer_init(&out, 1 << 20);
    body.data[body.len - 8] ^= 1;
    run(s, body.len, &out);
    cr_assert_eq(s->result, STEP_BROKEN);
    cr_assert_str_eq(s->why, "incorrect data check");
    buffer_free(&out);
    coding_stage_free(s);
}

Test(coding_stage, the_libraries_are_the_programs_own)
{
    cr_assert_null(coding_stage_foreign_library());
}
