/* test_public_suffix.c - domains under which anybody may register a name. */

#include "http/public_suffix.h"

#include <criterion/criterion.h>

static void
are(bool public, const char *const *domains)
{
    for (; *domains != NULL; domains++)
        cr_expect_eq(public_suffix_is(*domains), public, "%s", *domains);
}

Test(public_suffix, the_list_was_there_at_build)
{
    cr_assert(public_suffix_is_known(), "install Debian's package publicsuffix: tools/deps.sh");
}

Test(public_suffix, what_the_list_names)
{
    are(true, (const char *const[]){ "com", "uk", "co.uk", "ac.jp", "github.io", "xn--p1ai",
                                     "blogspot.com", "s3.amazonaws.com", "k12.ca.us", NULL });
}

Test(public_suffix, what_can_be_registered)
{
    are(false,
        (const char *const[]){ "example.com", "example.co.uk", "a.b.example.com", "me.github.io",
                               "xn--80aaa.xn--p1ai", "bank.localhost", NULL });
}

Test(public_suffix, wildcards_and_their_exceptions)
{
    are(true, (const char *const[]){ "ck", "foo.ck", "a.kawasaki.jp", NULL });
    are(false, (const char *const[]){ "www.ck", "foo.bar.ck", "city.kawasaki.jp", "b.a.kawasaki.jp",
                                      NULL });
}

Test(public_suffix, a_name_without_a_dot_is_one)
{
    are(true, (const char *const[]){ "localhost", "intranet", "c", "comx", "", NULL });
}

Test(public_suffix, odd_names_do_no_harm)
{
    are(false, (const char *const[]){ "\x80.\x81", "a..com", ".com", "com.", "a.\xff\xff",
                                      "x.co.uk.", NULL });
}
