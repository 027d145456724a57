/* test_base64.c - RFC 4648 section 4, with padding. */

#include "util/base64.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buffer b;

static void
setup(void)
{
    buffer_init(&b, 4096);
}

static void
teardown(void)
{
    buffer_free(&b);
}

TestSuite(base64, .init = setup, .fini = teardown);

/* RFC 4648 section 10. */
static const char *const vectors[][2] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

Test(base64, encodes_the_vectors_of_the_rfc)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        buffer_clear(&b);
        base64_encode(&b, vectors[i][0], strlen(vectors[i][0]));
        buffer_add(&b, "", 0);
        cr_assert_str_eq(b.data, vectors[i][1]);
    }
}

Test(base64, decodes_the_vectors_of_the_rfc)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        buffer_clear(&b);
        cr_assert_eq(base64_decode(&b, vectors[i][1], strlen(vectors[i][1])), 0);
        cr_assert_str_eq(b.data, vectors[i][0]);
    }
}

Test(base64, every_byte_value_comes_back)
{
    struct buffer back;
    char all[256];

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    buffer_init(&back, 256);
    base64_encode(&b, all, sizeof all);

    cr_assert_eq(base64_decode(&back, b.data, b.len), 0);
    cr_assert_eq(back.len, sizeof all);
    cr_assert_arr_eq(back.data, all, sizeof all);
    buffer_free(&back);
}

Test(base64, encodes_up_to_exactly_the_buffers_limit)
{
    struct buffer small;

    buffer_init(&small, 8);
    base64_encode(&small, "abcdef", 6);
    cr_assert(buffer_ok(&small));
    cr_assert_str_eq(small.data, "YWJjZGVm");

    base64_encode(&small, "g", 1);
    cr_assert_not(buffer_ok(&small));
    buffer_free(&small);
}

Test(base64, appends_to_what_is_there)
{
    buffer_adds(&b, "=");
    base64_encode(&b, "f", 1);
    cr_assert_eq(base64_decode(&b, "Zm9v", 4), 0);
    cr_assert_str_eq(b.data, "=Zg==foo");
}

Test(base64, what_is_not_base64_is_refused_and_adds_nothing)
{
    static const char *const wrong[] = {
        "Z",    "Zg",    "Zg=",  "Zm9vYg=", "Zg==Zm9v", "====",     "Z===", "=g==",
        "Zm 9", "Zm9\n", "Zm9-", "Zm9_",    "Zm9\xC3",  "Zm9v====", "Zg=a",
    };

    buffer_adds(&b, "kept");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_assert_eq(base64_decode(&b, wrong[i], strlen(wrong[i])), -1, "\"%s\"", wrong[i]);
        cr_assert(buffer_ok(&b));
        cr_assert_str_eq(b.data, "kept");
    }
}

Test(base64, no_room_is_told_from_not_base64_by_the_buffer)
{
    struct buffer small;

    buffer_init(&small, 2);
    cr_assert_eq(base64_decode(&small, "Zm9v", 4), -1);
    cr_assert_not(buffer_ok(&small));
    buffer_free(&small);
}
