/* test_body_account.c - how many bytes of response bodies the fetches of one engine hold. */

#include "session/body_account.h"

#include <criterion/criterion.h>

Test(body_account, the_total_may_reach_the_limit_and_not_exceed_it)
{
    struct body_account *a = body_account_new();

    cr_assert(body_account_try_add(a, 60, 100));
    cr_assert(body_account_try_add(a, 40, 100));
    cr_assert_not(body_account_try_add(a, 1, 100));
    cr_assert_eq(counter_read(&a->bytes), 100, "what was refused is not counted");
    body_account_subtract(a, 40);
    cr_assert(body_account_try_add(a, 1, 100));
    cr_assert_eq(counter_read(&a->bytes), 61);
    body_account_unref(a);
}

Test(body_account, what_is_bounded_otherwise_counts_past_the_limit_too)
{
    struct body_account *a = body_account_new();

    cr_assert(body_account_try_add(a, 100, 100));
    body_account_add(a, 50);
    cr_assert_eq(counter_read(&a->bytes), 150);
    body_account_subtract(a, 51);
    cr_assert(body_account_try_add(a, 1, 100));
    body_account_unref(a);
}

Test(body_account, it_lives_until_its_last_reference_goes)
{
    struct body_account *a = body_account_new(), *same = body_account_ref(a);

    cr_assert_eq(same, a);
    body_account_unref(a);
    cr_assert(body_account_try_add(same, 1, 1));
    body_account_unref(same);
    body_account_unref(NULL);
}
