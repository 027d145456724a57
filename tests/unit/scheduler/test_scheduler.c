/* test_scheduler.c - whose turn it is: limits, and a fair turn for each origin. */

#include "support/scheduler_fixture.h"

#define PLENTY 1000

Test(scheduler, up_to_the_limit_everybody_starts_at_once)
{
    struct curlew_fetch *f[3], *late;

    open_scheduler(3, PLENTY, PLENTY, PLENTY);
    for (int i = 0; i < 3; i++)
        f[i] = starts("a");
    late = waits("a");
    next_is_nobody();
    ends(f[1]);
    next_is(late);
    next_is_nobody();
    ends(f[0]);
    ends(f[2]);
    ends(late);
    close_scheduler();
}

Test(scheduler, of_one_lane_the_oldest_comes_first)
{
    struct curlew_fetch *f[5];

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    f[0] = starts("a");
    for (int i = 1; i < 5; i++)
        f[i] = waits("a");
    for (int i = 1; i < 5; i++) {
        ends(f[i - 1]);
        next_is(f[i]);
    }
    ends(f[4]);
    close_scheduler();
}

Test(scheduler, lanes_take_turns)
{
    struct curlew_fetch *a1, *a2, *a3, *b1, *b2, *c1;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    a1 = starts("a");
    a2 = waits("a");
    a3 = waits("a");
    b1 = waits("b");
    b2 = waits("b");
    c1 = waits("c");
    ends(a1);
    next_is(a2);
    ends(a2);
    next_is(b1);
    ends(b1);
    next_is(c1);
    ends(c1);
    next_is(a3);
    ends(a3);
    next_is(b2);
    ends(b2);
    close_scheduler();
}

/* A queue that many arrive in must not be put behind the others with each of them. */
Test(scheduler, an_arrival_does_not_cost_its_lane_the_turn)
{
    struct curlew_fetch *first, *a1, *a2, *b1, *b2;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    first = starts("x");
    a1 = waits("a");
    b1 = waits("b");
    b2 = waits("b");
    a2 = waits("a"); /* a's turn is still the first */
    ends(first);
    next_is(a1);
    ends(a1);
    next_is(b1);
    ends(b1);
    next_is(a2);
    ends(a2);
    next_is(b2);
    ends(b2);
    close_scheduler();
}

Test(scheduler, a_busy_lane_gets_its_share_though_it_never_stops_arriving)
{
    struct curlew_fetch *running, *more[40];
    int of_a = 0;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    running = starts("x");
    for (int i = 0; i < 20; i++)
        more[i] = waits(i % 2 == 0 ? "b" : "c");
    for (int i = 0; i < 12; i++) {
        waits("a");
        ends(running);
        running = scheduler_next(&a);
        of_a += strcmp(running->url.origin, "a") == 0;
    }
    cr_assert_geq(of_a, 4, "%d of 12 turns between three", of_a);
    cr_assert_leq(of_a, 5);
    ends(running);
    while ((running = scheduler_next(&a)) != NULL)
        ends(running);
    (void)more;
    close_scheduler();
}

Test(scheduler, a_withdrawal_does_not_cost_its_lane_the_turn)
{
    struct curlew_fetch *first, *a1, *a2, *b1;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    first = starts("x");
    a1 = waits("a");
    a2 = waits("a");
    b1 = waits("b");
    scheduler_withdraw(&a, a1);
    fetch_unref(a1);
    ends(first);
    next_is(a2);
    ends(a2);
    next_is(b1);
    ends(b1);
    close_scheduler();
}

/* -- per origin ---------------------------------------------------------- */

Test(scheduler, an_origin_at_its_limit_holds_up_nobody_else)
{
    struct curlew_fetch *a1, *a2, *a3, *b1;

    open_scheduler(PLENTY, PLENTY, PLENTY, 2);
    a1 = starts("a");
    a2 = starts("a");
    a3 = waits("a");
    b1 = starts("b");
    next_is_nobody();
    ends(b1);
    next_is_nobody();
    ends(a1);
    next_is(a3);
    ends(a2);
    ends(a3);
    close_scheduler();
}

Test(scheduler, a_newcomer_does_not_pass_those_who_wait_in_its_lane)
{
    struct curlew_fetch *a1, *a2, *a3;

    open_scheduler(PLENTY, PLENTY, PLENTY, 1);
    a1 = starts("a");
    a2 = waits("a");
    ends(a1);
    a3 = waits("a"); /* there is a slot, but a2 was here first */
    next_is(a2);
    next_is_nobody();
    ends(a2);
    next_is(a3);
    ends(a3);
    close_scheduler();
}

Test(scheduler, another_sessions_fetches_of_an_origin_are_another_lane)
{
    struct curlew_fetch *mine, *theirs;

    open_scheduler(PLENTY, PLENTY, PLENTY, 1);
    mine = starts("a");
    theirs = arrives("other", "a", SCHEDULED_NOW);
    ends(mine);
    ends(theirs);
    close_scheduler();
}

/* -- per session --------------------------------------------------------- */

Test(scheduler, a_session_at_its_limit_holds_up_no_other_session)
{
    struct curlew_fetch *a1, *b1, *c1, *other;

    open_scheduler(PLENTY, PLENTY, 2, PLENTY);
    a1 = starts("a");
    b1 = starts("b");
    c1 = waits("c");
    other = arrives("other", "c", SCHEDULED_NOW);
    next_is_nobody();
    ends(other);
    next_is_nobody();
    cr_assert_eq(counter_read(&stats.in_flight), 2, "the refused slot was given back");
    ends(b1);
    next_is(c1);
    ends(a1);
    ends(c1);
    close_scheduler();
}

Test(scheduler, the_lanes_of_a_full_session_keep_their_turns)
{
    struct curlew_fetch *first, *b1, *c1;

    open_scheduler(PLENTY, PLENTY, 1, PLENTY);
    first = starts("a");
    b1 = waits("b");
    c1 = waits("c");
    for (int i = 0; i < 3; i++)
        next_is_nobody();
    ends(first);
    next_is(b1);
    next_is_nobody();
    ends(b1);
    next_is(c1);
    ends(c1);
    close_scheduler();
}

/* -- moving on ----------------------------------------------------------- */

Test(scheduler, a_redirect_within_the_origin_keeps_the_place)
{
    struct curlew_fetch *f;

    open_scheduler(1, PLENTY, PLENTY, PLENTY);
    f = starts("http://a:80");
    cr_assert(scheduler_try_keep_slot(f));
    free(f->url.origin);
    f->url.origin = strdup("http://a:81");
    cr_assert_not(scheduler_try_keep_slot(f));
    ends(f);
    close_scheduler();
}

/* -- queues --------------------------------------------------------------- */

Test(scheduler, lanes_that_nobody_uses_are_bounded)
{
    struct curlew_fetch *f[3000];
    char origin[32];

    open_scheduler(PLENTY * 10, PLENTY, PLENTY * 10, PLENTY);
    for (int i = 0; i < 3000; i++) {
        snprintf(origin, sizeof origin, "http://h%d:80", i);
        f[i] = starts(origin);
    }
    cr_assert_eq(a.queues.count, 3000, "each is in use");
    for (int i = 0; i < 3000; i++)
        ends(f[i]);
    cr_assert_eq(a.queues.count, 1024);
    f[0] = starts("http://h2999:80");
    ends(f[0]);
    cr_assert_leq(a.queues.count, 1024);
    close_scheduler();
}
