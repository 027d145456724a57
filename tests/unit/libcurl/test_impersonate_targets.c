/* test_impersonate_targets.c - without libcurl-impersonate there are none. */

#include "libcurl/impersonate_targets.h"

#include <criterion/criterion.h>

Test(impersonate_targets, a_plain_libcurl_takes_none)
{
    cr_assert_null(impersonate_targets_function());
    cr_assert_null(impersonate_targets_find("chrome"));
    cr_assert_null(impersonate_targets_get(0));
}
