/* test_descriptors.c - the limit of open files: its shares, and whether it is reached. */

#include "util/descriptors.h"

#include "support/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(descriptors, .timeout = 60);

Test(descriptors, the_shares_and_what_lasts_a_moment_fit_into_the_limit)
{
    for (int limit = 64; limit < 2000000; limit = limit * 3 / 2) {
        struct descriptor_shares s = descriptors_divide(limit, 16);

        cr_assert_eq(s.limit, limit);
        /* Half as many as the origins' are for look-ups and the second address of a name. */
        cr_assert_leq(16 + s.origins + s.origins / 2 + s.callers + s.surplus, limit, "%d", limit);
        cr_assert_geq(s.callers, s.origins);
        cr_assert_geq(s.surplus, 4);
        cr_assert_leq(s.surplus, 64);
    }
}

Test(descriptors, a_limit_that_is_too_low_leaves_some_to_everybody)
{
    struct descriptor_shares s = descriptors_divide(20, 18);

    cr_assert_eq(s.origins, 4);
    cr_assert_eq(s.callers, 4);
    cr_assert_eq(s.surplus, 4);
}

Test(descriptors, what_is_open_counts_as_in_use)
{
    int before = descriptors_shares(0).callers, fds[60];

    for (int i = 0; i < 60; i++)
        fds[i] = dup(STDIN_FILENO);
    cr_assert_lt(descriptors_shares(0).callers, before);
    for (int i = 0; i < 60; i++)
        close(fds[i]);
    cr_assert_eq(descriptors_shares(0).callers, before);
    cr_assert_lt(descriptors_shares(60).callers, before);
}

Test(descriptors, only_two_errors_are_a_shortage)
{
    cr_assert(descriptors_is_shortage(EMFILE));
    cr_assert(descriptors_is_shortage(ENFILE));
    cr_assert_not(descriptors_is_shortage(ECONNREFUSED));
}

static void
limit_to(rlim_t n)
{
    struct rlimit l;

    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = n;
    setrlimit(RLIMIT_NOFILE, &l);
}

Test(descriptors, a_shortage_is_seen_while_it_lasts)
{
    cr_assert_not(descriptors_are_short());
    limit_to(3);
    cr_assert(descriptors_are_short());
    limit_to(1000);
    cr_assert_not(descriptors_are_short());
}

Test(descriptors, a_shortage_that_was_noted_is_remembered_for_a_second)
{
    descriptors_note_shortage();
    cr_assert(descriptors_are_short());
    clock_skip(1.01);
    cr_assert_not(descriptors_are_short());
}

Test(descriptors, the_failure_names_the_limit_and_what_to_raise)
{
    struct failure err = { 0 };

    limit_to(777);
    cr_assert_eq(descriptors_fail(&err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_not_null(strstr(err.detail, "777"));
    cr_assert_not_null(strstr(err.detail, "LimitNOFILE"));
    cr_assert_not_null(strstr(err.detail, "ulimit -n"));
}
