/* test_libfcgi_memory.c - the memory that libfcgi works with: one block a request. */

#include "fastcgi/libfcgi_memory.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static struct libfcgi_memory m;

static void
setup(void)
{
    cr_assert_eq(libfcgi_memory_reserve(&m, 1000, 10), 0);
    libfcgi_memory_use(&m);
}

static void
teardown(void)
{
    libfcgi_memory_use(NULL);
    libfcgi_memory_release(&m);
    runner_check_leaks();
}

TestSuite(libfcgi_memory, .init = setup, .fini = teardown);

static bool
is_inside(const void *p)
{
    return (const char *)p >= m.block && (const char *)p < m.block + m.size;
}

Test(libfcgi_memory, what_is_allocated_lies_in_the_block_apart_and_aligned)
{
    char *a = libfcgi_memory_malloc(1), *b = libfcgi_memory_malloc(100);

    cr_assert(is_inside(a) && is_inside(b));
    cr_assert_geq(b, a + 1);
    cr_assert_eq((uintptr_t)b % alignof(max_align_t), 0);
    libfcgi_memory_free(a);
    libfcgi_memory_free(b);
    cr_assert_eq(m.outside, 0);
}

Test(libfcgi_memory, a_larger_copy_has_the_old_bytes)
{
    char *a = libfcgi_memory_realloc(NULL, 16), *b;

    memcpy(a, "0123456789abcdef", 16);
    cr_assert_eq(libfcgi_memory_realloc(a, 8), a);
    b = libfcgi_memory_realloc(a, 2000);
    cr_assert_neq(a, b);
    cr_assert(is_inside(b));
    cr_assert_eq(memcmp(b, "0123456789abcdef", 16), 0);
}

Test(libfcgi_memory, past_its_end_malloc_serves_and_is_counted)
{
    char *all = libfcgi_memory_malloc(m.size - 2 * sizeof(max_align_t)), *more;

    cr_assert(is_inside(all));
    more = libfcgi_memory_malloc(100);
    cr_assert_not(is_inside(more));
    more = libfcgi_memory_realloc(more, 100000);
    cr_assert_not(is_inside(more));
    libfcgi_memory_free(more);
    cr_assert_eq(m.outside, 1);
}

Test(libfcgi_memory, without_a_block_malloc_serves)
{
    char *a;

    libfcgi_memory_use(NULL);
    a = libfcgi_memory_realloc(libfcgi_memory_malloc(10), 20);
    cr_assert_not(is_inside(a));
    libfcgi_memory_free(a);
}

#ifdef __SANITIZE_ADDRESS__ /* which ends a program that asks for so much */
#define TOO_MUCH_IS_NULL false
#else
#define TOO_MUCH_IS_NULL true
#endif

Test(libfcgi_memory, what_cannot_be_had_is_not_reserved, .disabled = !TOO_MUCH_IS_NULL)
{
    struct libfcgi_memory none = { 0 };

    cr_assert_eq(libfcgi_memory_reserve(&none, PTRDIFF_MAX, 0), -1);
    cr_assert_null(none.block);
}
