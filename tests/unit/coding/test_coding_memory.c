/* test_coding_memory.c - the memory of a decoder's library, counted. */

#include "coding/coding_memory.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

TestSuite(coding_memory, .fini = runner_check_leaks);

Test(coding_memory, blocks_are_counted_until_they_are_freed)
{
    static const size_t sizes[] = { 0,      1, 1000, CODING_MEMORY_LARGE - 100, CODING_MEMORY_LARGE,
                                    8 << 20 };
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    struct coding_memory m = { 0 };
    void *blocks[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = coding_memory_alloc(&m, sizes[i]);
        cr_assert_not_null(blocks[i]);
        cr_assert_eq((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    cr_assert_geq(m.small, 1001 + CODING_MEMORY_LARGE - 100);
    cr_assert_lt(m.small, 1001 + CODING_MEMORY_LARGE);
    cr_assert_geq(m.large, CODING_MEMORY_LARGE + (8 << 20));
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t at = 0; at < sizes[i]; at++)
            cr_assert_eq(((char *)blocks[i])[at], (char)(i + 1));
        coding_memory_free(&m, blocks[i]);
    }
    cr_assert_eq(m.small + m.large, 0);
    coding_memory_free(&m, NULL);
}

Test(coding_memory, what_cannot_be_had_is_not_counted)
{
    struct coding_memory m = { 0 };

    cr_assert_null(coding_memory_alloc(&m, SIZE_MAX));
    cr_assert_null(coding_memory_alloc(&m, SIZE_MAX / 2));
    cr_assert_eq(m.small + m.large, 0);
}
