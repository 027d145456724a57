/* test_secret.c - comparison of a secret with what somebody claims it to be. */

#include "util/secret.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool
equal(const char *stored, const char *given)
{
    return secret_equal(stored, strlen(stored), given, strlen(given));
}

Test(secret, equal_texts_are_equal)
{
    cr_assert(equal("0123456789abcdef", "0123456789abcdef"));
    cr_assert(equal("", ""));
}

Test(secret, one_byte_anywhere_makes_a_difference)
{
    static const char stored[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof stored - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char given[sizeof stored];

            memcpy(given, stored, sizeof stored);
            given[i] = (char)(given[i] ^ 1 << bit);
            cr_assert_not(secret_equal(stored, sizeof stored - 1, given, sizeof stored - 1),
                          "byte %zu, bit %d", i, bit);
        }
    }
}

Test(secret, a_part_a_repetition_and_more_are_not_the_secret)
{
    cr_assert_not(equal("abcd", "abc"));
    cr_assert_not(equal("abcd", ""));
    cr_assert_not(equal("abcd", "abcde"));
    cr_assert_not(equal("abcd", "abcdabcd"));
    cr_assert_not(equal("", "a"));
    cr_assert_not(equal("aaaa", "aaaaaaaa"));
}

Test(secret, a_difference_in_length_that_a_byte_cannot_hold_counts)
{
    static char given[4 + 256 + 1];

    memset(given, 'a', sizeof given - 1);
    cr_assert_not(equal("aaaa", given));
}

Test(secret, a_NUL_is_a_byte_like_any_other)
{
    cr_assert_not(secret_equal("abc\0", 4, "abc", 3));
    cr_assert_not(secret_equal("abc", 3, "abc\0", 4));
    cr_assert_not(secret_equal("a\0b", 3, "a\0c", 3));
}

/* The page behind `given` cannot be read. */
Test(secret, nothing_past_the_end_is_read)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *given = pages + page - 3;

    cr_assert_neq(pages, MAP_FAILED);
    cr_assert_eq(mprotect(pages + page, page, PROT_NONE), 0);
    memcpy(given, "abc", 3);
    cr_assert_not(secret_equal("abcdefgh", 8, given, 3));
    cr_assert(secret_equal("abc", 3, given, 3));
    munmap(pages, 2 * page);
}
