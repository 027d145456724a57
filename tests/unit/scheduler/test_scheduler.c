/* test_scheduler.c - whose turn it is: limits, and a fair turn for each origin. */

#include "scheduler/scheduler.h"

#include "support/scheduler_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define PLENTY 1000

static struct scheduler_fixture t;

Test(scheduler, up_to_the_limit_everybody_starts_at_once)
{
    struct curlew_fetch *f[3], *late;

    sched_open(&t, 3, PLENTY, PLENTY, PLENTY);
    for (int i = 0; i < 3; i++)
        f[i] = sched_start(&t, "a");
    late = sched_wait(&t, "a");
    sched_next_is_nobody(&t);
    sched_end(&t, f[1]);
    sched_next_is(&t, late);
    sched_next_is_nobody(&t);
    sched_end(&t, f[0]);
    sched_end(&t, f[2]);
    sched_end(&t, late);
    sched_close(&t);
}

Test(scheduler, of_one_queue_the_oldest_comes_first)
{
    struct curlew_fetch *f[5];

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    f[0] = sched_start(&t, "a");
    for (int i = 1; i < 5; i++)
        f[i] = sched_wait(&t, "a");
    for (int i = 1; i < 5; i++) {
        sched_end(&t, f[i - 1]);
        sched_next_is(&t, f[i]);
    }
    sched_end(&t, f[4]);
    sched_close(&t);
}

Test(scheduler, queues_take_turns)
{
    struct curlew_fetch *a1, *a2, *a3, *b1, *b2, *c1;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    a1 = sched_start(&t, "a");
    a2 = sched_wait(&t, "a");
    a3 = sched_wait(&t, "a");
    b1 = sched_wait(&t, "b");
    b2 = sched_wait(&t, "b");
    c1 = sched_wait(&t, "c");
    sched_end(&t, a1);
    sched_next_is(&t, a2);
    sched_end(&t, a2);
    sched_next_is(&t, b1);
    sched_end(&t, b1);
    sched_next_is(&t, c1);
    sched_end(&t, c1);
    sched_next_is(&t, a3);
    sched_end(&t, a3);
    sched_next_is(&t, b2);
    sched_end(&t, b2);
    sched_close(&t);
}

/* A queue that many arrive in must not be put behind the others with each of them. */
Test(scheduler, an_arrival_does_not_cost_its_queue_the_turn)
{
    struct curlew_fetch *first, *a1, *a2, *b1, *b2;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    first = sched_start(&t, "x");
    a1 = sched_wait(&t, "a");
    b1 = sched_wait(&t, "b");
    b2 = sched_wait(&t, "b");
    a2 = sched_wait(&t, "a"); /* a's turn is still the first */
    sched_end(&t, first);
    sched_next_is(&t, a1);
    sched_end(&t, a1);
    sched_next_is(&t, b1);
    sched_end(&t, b1);
    sched_next_is(&t, a2);
    sched_end(&t, a2);
    sched_next_is(&t, b2);
    sched_end(&t, b2);
    sched_close(&t);
}

Test(scheduler, a_busy_queue_gets_its_share_though_it_never_stops_arriving)
{
    struct curlew_fetch *running, *more[40];
    int of_a = 0;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    running = sched_start(&t, "x");
    for (int i = 0; i < 20; i++)
        more[i] = sched_wait(&t, i % 2 == 0 ? "b" : "c");
    for (int i = 0; i < 12; i++) {
        sched_wait(&t, "a");
        sched_end(&t, running);
        running = scheduler_next(&t.scheduler);
        of_a += strcmp(running->url.origin, "a") == 0;
    }
    cr_assert_geq(of_a, 4, "%d of 12 turns between three", of_a);
    cr_assert_leq(of_a, 5);
    sched_end(&t, running);
    while ((running = scheduler_next(&t.scheduler)) != NULL)
        sched_end(&t, running);
    (void)more;
    sched_close(&t);
}

Test(scheduler, a_withdrawal_does_not_cost_its_queue_the_turn)
{
    struct curlew_fetch *first, *a1, *a2, *b1;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    first = sched_start(&t, "x");
    a1 = sched_wait(&t, "a");
    a2 = sched_wait(&t, "a");
    b1 = sched_wait(&t, "b");
    scheduler_withdraw(&t.scheduler, a1);
    fetch_unref(a1);
    sched_end(&t, first);
    sched_next_is(&t, a2);
    sched_end(&t, a2);
    sched_next_is(&t, b1);
    sched_end(&t, b1);
    sched_close(&t);
}

/* -- per origin ---------------------------------------------------------- */

Test(scheduler, an_origin_at_its_limit_holds_up_nobody_else)
{
    struct curlew_fetch *a1, *a2, *a3, *b1;

    sched_open(&t, PLENTY, PLENTY, PLENTY, 2);
    a1 = sched_start(&t, "a");
    a2 = sched_start(&t, "a");
    a3 = sched_wait(&t, "a");
    b1 = sched_start(&t, "b");
    sched_next_is_nobody(&t);
    sched_end(&t, b1);
    sched_next_is_nobody(&t);
    sched_end(&t, a1);
    sched_next_is(&t, a3);
    sched_end(&t, a2);
    sched_end(&t, a3);
    sched_close(&t);
}

Test(scheduler, a_newcomer_does_not_pass_those_who_wait_in_its_queue)
{
    struct curlew_fetch *a1, *a2, *a3;

    sched_open(&t, PLENTY, PLENTY, PLENTY, 1);
    a1 = sched_start(&t, "a");
    a2 = sched_wait(&t, "a");
    sched_end(&t, a1);
    a3 = sched_wait(&t, "a"); /* there is a slot, but a2 was here first */
    sched_next_is(&t, a2);
    sched_next_is_nobody(&t);
    sched_end(&t, a2);
    sched_next_is(&t, a3);
    sched_end(&t, a3);
    sched_close(&t);
}

Test(scheduler, another_sessions_fetches_of_an_origin_are_another_queue)
{
    struct curlew_fetch *mine, *theirs;

    sched_open(&t, PLENTY, PLENTY, PLENTY, 1);
    mine = sched_start(&t, "a");
    theirs = sched_arrive(&t, "other", "a", SCHEDULED_NOW);
    sched_end(&t, mine);
    sched_end(&t, theirs);
    sched_close(&t);
}

/* -- per session --------------------------------------------------------- */

Test(scheduler, a_session_at_its_limit_holds_up_no_other_session)
{
    struct curlew_fetch *a1, *b1, *c1, *other;

    sched_open(&t, PLENTY, PLENTY, 2, PLENTY);
    a1 = sched_start(&t, "a");
    b1 = sched_start(&t, "b");
    c1 = sched_wait(&t, "c");
    other = sched_arrive(&t, "other", "c", SCHEDULED_NOW);
    sched_next_is_nobody(&t);
    sched_end(&t, other);
    sched_next_is_nobody(&t);
    cr_assert_eq(counter_read(&t.stats.in_flight), 2, "the refused slot was given back");
    sched_end(&t, b1);
    sched_next_is(&t, c1);
    sched_end(&t, a1);
    sched_end(&t, c1);
    sched_close(&t);
}

Test(scheduler, the_queues_of_a_full_session_keep_their_turns)
{
    struct curlew_fetch *first, *b1, *c1;

    sched_open(&t, PLENTY, PLENTY, 1, PLENTY);
    first = sched_start(&t, "a");
    b1 = sched_wait(&t, "b");
    c1 = sched_wait(&t, "c");
    for (int i = 0; i < 3; i++)
        sched_next_is_nobody(&t);
    sched_end(&t, first);
    sched_next_is(&t, b1);
    sched_next_is_nobody(&t);
    sched_end(&t, b1);
    sched_next_is(&t, c1);
    sched_end(&t, c1);
    sched_close(&t);
}

/* -- moving on ----------------------------------------------------------- */

Test(scheduler, a_redirect_within_the_origin_keeps_the_slot)
{
    struct curlew_fetch *f;

    sched_open(&t, 1, PLENTY, PLENTY, PLENTY);
    f = sched_start(&t, "http://a:80");
    cr_assert(scheduler_try_keep_slot(f));
    sched_set_origin(f, "http://a:81");
    cr_assert_not(scheduler_try_keep_slot(f));
    sched_end(&t, f);
    sched_close(&t);
}

/* -- queues --------------------------------------------------------------- */

Test(scheduler, queues_that_nobody_uses_are_bounded)
{
    struct curlew_fetch *f[3000];
    char origin[32];

    sched_open(&t, PLENTY * 10, PLENTY, PLENTY * 10, PLENTY);
    for (int i = 0; i < 3000; i++) {
        snprintf(origin, sizeof origin, "http://h%d:80", i);
        f[i] = sched_start(&t, origin);
    }
    cr_assert_eq(t.scheduler.queues.count, 3000, "each is in use");
    for (int i = 0; i < 3000; i++)
        sched_end(&t, f[i]);
    cr_assert_eq(t.scheduler.queues.count, 1024);
    f[0] = sched_start(&t, "http://h2999:80");
    sched_end(&t, f[0]);
    cr_assert_leq(t.scheduler.queues.count, 1024);
    sched_close(&t);
}
