/* test_libcurl_check.c - is the libcurl that this process runs with one that can be trusted? */

#include "transfer/libcurl_check.h"

#include <criterion/criterion.h>

/* The tests run with the libcurl of this machine, which tools/deps.sh has made new enough. */
Test(libcurl_check, the_libcurl_of_the_tests_is_new_enough)
{
    struct failure err = { 0 };

    cr_assert_eq(libcurl_check(&err), 0, "%s", err.detail);
    cr_assert_eq(err.error, ERROR_NONE);
}
