/* test_buffer.c - bytes that grow up to a limit. */

#include "util/buffer.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct buffer b;

static void
setup(void)
{
    buffer_init(&b, 8);
}

static void
teardown(void)
{
    buffer_free(&b);
}

TestSuite(buffer, .init = setup, .fini = teardown);

Test(buffer, grows_to_exactly_its_limit)
{
    buffer_adds(&b, "12345");
    buffer_adds(&b, "678");

    cr_assert(buffer_ok(&b));
    cr_assert_str_eq(b.data, "12345678");
}

Test(buffer, stays_failed_once_past_its_limit)
{
    buffer_adds(&b, "123456789");
    buffer_adds(&b, "1");

    cr_assert_not(buffer_ok(&b));
    cr_assert_eq(b.len, 0);
}

Test(buffer, keeps_what_it_had_when_an_append_fails)
{
    buffer_adds(&b, "1234567");
    buffer_adds(&b, "89");

    cr_assert_not(buffer_ok(&b));
    cr_assert_str_eq(b.data, "1234567");
}

Test(buffer, a_limit_of_0_takes_the_empty_append_and_no_byte)
{
    struct buffer none;

    buffer_init(&none, 0);
    buffer_add(&none, "", 0);
    cr_assert(buffer_ok(&none));
    buffer_addc(&none, 'x');
    cr_assert_not(buffer_ok(&none));
    buffer_free(&none);
}

Test(buffer, a_size_that_would_wrap_is_refused)
{
    struct buffer big;

    buffer_init(&big, SIZE_MAX);
    buffer_adds(&big, "x");
    cr_assert_null(buffer_room(&big, SIZE_MAX - 1));
    cr_assert_not(buffer_ok(&big));
    buffer_free(&big);
}

Test(buffer, grows_through_many_reallocations)
{
    struct buffer big;

    buffer_init(&big, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buffer_addc(&big, (char)('a' + i % 26));

    cr_assert(buffer_ok(&big));
    cr_assert_eq(big.len, 100000);
    for (size_t i = 0; i < big.len; i++)
        cr_assert_eq(big.data[i], (char)('a' + i % 26));
    buffer_free(&big);
}

Test(buffer, clear_forgets_bytes_and_failure_and_keeps_the_memory)
{
    buffer_adds(&b, "abc");
    char *before = b.data;
    buffer_adds(&b, "too long for 8");

    buffer_clear(&b);
    buffer_adds(&b, "12345678");

    cr_assert(buffer_ok(&b));
    cr_assert_str_eq(b.data, "12345678");
    cr_assert_eq(b.data, before);
}

Test(buffer, free_leaves_it_empty_and_usable_with_the_same_limit)
{
    buffer_adds(&b, "123456789");
    buffer_free(&b);
    cr_assert(buffer_ok(&b));
    cr_assert_null(b.data);

    buffer_adds(&b, "12345678");
    cr_assert(buffer_ok(&b));
    buffer_addc(&b, '9');
    cr_assert_not(buffer_ok(&b));
}

Test(buffer, printf_writes_to_exactly_its_limit)
{
    buffer_printf(&b, "%s-%d", "abcde", 12);
    cr_assert_str_eq(b.data, "abcde-12");

    buffer_printf(&b, "%d", 3);
    cr_assert_not(buffer_ok(&b));
    cr_assert_str_eq(b.data, "abcde-12");
}

Test(buffer, printf_writes_text_of_any_length)
{
    struct buffer big;

    for (int n = 250; n < 260; n++) {
        buffer_init(&big, (size_t)n);
        buffer_printf(&big, "%*d", n, 7);
        cr_assert(buffer_ok(&big));
        cr_assert_eq(big.len, (size_t)n);
        cr_assert_eq(strlen(big.data), (size_t)n);
        cr_assert_eq(big.data[n - 1], '7');
        buffer_free(&big);
    }
}

Test(buffer, drop_forgets_the_first_bytes)
{
    buffer_adds(&b, "abcdef");
    buffer_drop(&b, 2);
    cr_assert_str_eq(b.data, "cdef");

    buffer_drop(&b, 99);
    cr_assert_eq(b.len, 0);
    cr_assert_str_eq(b.data, "");
}

Test(buffer, drop_of_a_new_buffer_does_nothing)
{
    buffer_drop(&b, 1);
    cr_assert_eq(b.len, 0);
}

Test(buffer, room_is_written_by_the_caller_and_ends_at_the_limit)
{
    char *p = buffer_room(&b, 8);

    cr_assert_not_null(p);
    memcpy(p, "12345678", 8);
    b.len += 8;
    buffer_add(&b, "", 0);
    cr_assert_str_eq(b.data, "12345678");

    cr_assert_null(buffer_room(&b, 1));
    cr_assert_not(buffer_ok(&b));
}

Test(buffer, steal_leaves_it_empty_and_usable)
{
    size_t n;

    buffer_adds(&b, "abc");
    char *mine = buffer_steal(&b, &n);
    buffer_adds(&b, "d");

    cr_assert_eq(n, 3);
    cr_assert_str_eq(mine, "abc");
    cr_assert_str_eq(b.data, "d");
    free(mine);
}

Test(buffer, steal_of_nothing_is_NULL)
{
    size_t n = 1;

    buffer_add(&b, "", 0); /* memory, but no bytes */
    cr_assert_null(buffer_steal(&b, &n));
    cr_assert_eq(n, 0);
}

Test(buffer, a_reset_keeps_memory_up_to_a_size_and_forgets_a_failure)
{
    struct buffer x;

    buffer_init(&x, 1000);
    buffer_adds(&x, "some text");
    buffer_reset(&x, x.cap);
    cr_assert_eq(x.len, 0);
    cr_assert_gt(x.cap, 0);
    buffer_adds(&x, "some text");
    buffer_reset(&x, x.cap - 1);
    cr_assert_eq(x.cap, 0);
    for (int i = 0; i < 1001; i++)
        buffer_addc(&x, 'x');
    cr_assert_not(buffer_ok(&x));
    buffer_reset(&x, 10000);
    cr_assert(buffer_ok(&x));
    buffer_free(&x);
}

Test(buffer, what_is_reserved_is_there)
{
    const char *data;

    cr_assert_eq(buffer_reserve(&b, 8), 0);
    data = b.data;
    buffer_adds(&b, "12345678");
    cr_assert_eq(b.data, data);
    cr_assert_eq(buffer_reserve(&b, 0), 0);
    cr_assert_eq(buffer_reserve(&b, 1), -1);
    cr_assert(buffer_ok(&b), "to ask is no failure");
    buffer_addc(&b, '9');
    cr_assert_eq(buffer_reserve(&b, 0), -1);
}

Test(buffer, shrunk_it_is_empty_and_keeps_so_much)
{
    struct buffer x;

    buffer_init(&x, 10000);
    cr_assert_eq(buffer_reserve(&x, 9000), 0);
    buffer_adds(&x, "some text");
    buffer_shrink(&x, 1000);
    cr_assert_eq(x.len, 0);
    cr_assert_eq(x.cap, 1000);
    buffer_shrink(&x, 2000);
    cr_assert_eq(x.cap, 1000);
    buffer_free(&x);
}
