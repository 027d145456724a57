/* test_lookup_shares.c - how many look-ups that were given up may be under way, and whose. */

#include "limits/lookup_shares.h"

#include <criterion/criterion.h>

static struct lookup_shares s;

TestSuite(lookup_shares, .timeout = 60);

/* `count` look-ups of a session are given up, in domains from `domain` on, `each` in one. */
static void
give_up(int count, uint64_t session, uint64_t domain, int each, int64_t until_us)
{
    for (int i = 0; i < count; i++) {
        struct abandoned_lookup one = { until_us, session, domain + (uint64_t)(i / each) };

        lookup_shares_record(&s, &one, 0);
    }
}

Test(lookup_shares, a_domain_is_the_last_two_labels)
{
    cr_assert_str_eq(lookup_shares_domain("a.b.example.com"), "example.com");
    cr_assert_str_eq(lookup_shares_domain("example.com"), "example.com");
    cr_assert_str_eq(lookup_shares_domain("a.example.com."), "example.com.");
    cr_assert_str_eq(lookup_shares_domain("intranet"), "intranet");
    cr_assert_str_eq(lookup_shares_domain("."), ".");
    cr_assert_str_eq(lookup_shares_domain(""), "");
}

Test(lookup_shares, a_domain_is_one_in_any_case_and_with_a_dot)
{
    uint64_t key = lookup_shares_key("example.com");

    cr_assert_eq(lookup_shares_key("Example.COM."), key);
    cr_assert_neq(lookup_shares_key("example.org"), key);
    cr_assert_neq(lookup_shares_key(""), key);
}

Test(lookup_shares, a_cold_start_is_not_refused)
{
    cr_assert_eq(lookup_shares_check(&s, 1, 1, 1000, 0), LOOKUP_ALLOWED);
}

Test(lookup_shares, a_domain_is_refused_first)
{
    give_up(100, 1, 7, 100, 10);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, 0, 5), LOOKUP_DOMAIN_FULL);
    cr_assert_eq(lookup_shares_check(&s, 2, 7, 0, 5), LOOKUP_DOMAIN_FULL);
    cr_assert_eq(lookup_shares_check(&s, 1, 8, 0, 5), LOOKUP_ALLOWED);
}

Test(lookup_shares, those_under_way_count_once_one_was_given_up)
{
    give_up(1, 1, 7, 1, 10);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 5), 1);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, LOOKUP_SHARES_DOMAIN - 2, 5), LOOKUP_ALLOWED);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, LOOKUP_SHARES_DOMAIN - 1, 5), LOOKUP_DOMAIN_FULL);
}

Test(lookup_shares, a_session_is_refused_before_others)
{
    give_up(200, 1, 100, 1, 10);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, 0, 5), LOOKUP_SESSION_FULL);
    cr_assert_eq(lookup_shares_check(&s, 2, 7, 0, 5), LOOKUP_ALLOWED);
    give_up(200, 2, 1000, 1, 10);
    cr_assert_eq(lookup_shares_check(&s, 3, 7, 0, 5), LOOKUP_ALL_FULL);
    give_up(200, 3, 2000, 1, 10);
    cr_assert_leq(s.count, LOOKUP_SHARES_ALL);
}

Test(lookup_shares, a_look_up_counts_until_its_time)
{
    give_up(8, 1, 7, 8, 10);
    give_up(8, 1, 7, 8, 20);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, 0, 9), LOOKUP_DOMAIN_FULL);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 10), 8);
    cr_assert_eq(lookup_shares_check(&s, 1, 7, 0, 10), LOOKUP_ALLOWED);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 20), 0);
}

Test(lookup_shares, beyond_a_bound_the_newest_count)
{
    give_up(LOOKUP_SHARES_DOMAIN, 1, 7, 100, 10);
    give_up(LOOKUP_SHARES_DOMAIN, 1, 7, 100, 20);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 15), LOOKUP_SHARES_DOMAIN);
}

Test(lookup_shares, the_oldest_go_where_fewer_can_be_under_way)
{
    give_up(10, 1, 7, 10, 10);
    give_up(6, 1, 8, 6, 10);
    lookup_shares_trim(&s, 16);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 5), 10);
    lookup_shares_trim(&s, 8);
    cr_assert_eq(lookup_shares_of_domain(&s, 7, 5), 2);
    cr_assert_eq(lookup_shares_of_domain(&s, 8, 5), 6);
    lookup_shares_trim(&s, 0);
    cr_assert_eq(s.count, 0);
}
