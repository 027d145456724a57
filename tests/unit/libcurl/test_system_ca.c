/* test_system_ca.c - the certificates of the authorities that are trusted by default. */

#include "libcurl/system_ca.h"

#include <criterion/criterion.h>

static const char *const none[] = { "/nowhere/a.pem", NULL };
static const char *const some[] = { "/nowhere/a.pem", "/etc/hostname", "/etc/passwd", NULL };

Test(system_ca, the_first_file_that_is_there)
{
    cr_assert_str_eq(system_ca_find(some, "/etc/passwd"), "/etc/hostname");
}

Test(system_ca, else_the_environments)
{
    cr_assert_str_eq(system_ca_find(none, "/etc/passwd"), "/etc/passwd");
    cr_assert_null(system_ca_find(none, "/nowhere/b.pem"));
    cr_assert_null(system_ca_find(none, ""));
    cr_assert_null(system_ca_find(none, NULL));
}

Test(system_ca, the_systems_libcurl_knows_its_own)
{
    cr_assert_null(system_ca_file());
}
