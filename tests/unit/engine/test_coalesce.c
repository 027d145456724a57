/* test_coalesce.c - single flight: identical GETs share one transfer. */

#include "engine/coalesce.h"

#include "support/fetch_fixture.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fetch_fixture t;

static void
setup(void)
{
    fetch_fixture_open(&t);
}

static void
teardown(void)
{
    fetch_fixture_close(&t);
}

TestSuite(coalesce, .init = setup, .fini = teardown, .timeout = 20);

static struct coalesce all;
static struct link taken;

static struct curlew_fetch *
get(const char *url)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, url);

    f->request.coalesce = true;
    return f;
}

/* The leader is done, and gives each of its followers the result. */
static void
finish(struct curlew_fetch *leader)
{
    coalesce_close(leader);
    fetch_unref(leader);
}

Test(coalesce, only_a_plain_get_that_asks_for_it_is_shared)
{
    struct curlew_fetch *f = get("http://a.test/");

    cr_assert(coalesce_is_wanted(f));
    f->own_credentials = true;
    cr_assert_not(coalesce_is_wanted(f));
    f->own_credentials = false;
    f->method = "HEAD";
    cr_assert_not(coalesce_is_wanted(f));
    f->method = "GET";
    f->redirects = 1;
    cr_assert_not(coalesce_is_wanted(f));
    f->redirects = 0;
    f->request.coalesce = false;
    cr_assert_not(coalesce_is_wanted(f));
    fetch_unref(f);
}

Test(coalesce, the_first_brings_a_leader_and_the_next_follows_it)
{
    struct curlew_fetch *f[2] = { get("http://a.test/"), get("http://a.test/") }, *leader;

    coalesce_init(&all);
    leader = coalesce_join(&all, f[0]);
    cr_assert_not_null(leader);
    cr_assert_null(coalesce_join(&all, f[1]));
    cr_assert_eq(f[1]->state, FETCH_FOLLOWING);
    cr_assert_eq(f[1]->flight.leader, leader);

    leader->response.head.status = 201;
    coalesce_take_impatient(leader, INT64_MAX, &taken);
    cr_assert_eq(coalesce_next_follower(leader, &taken), f[0]);
    cr_assert_eq(coalesce_next_follower(leader, &taken), f[1]);
    cr_assert_null(coalesce_next_follower(leader, &taken));
    cr_assert_eq(f[1]->response.head.status, 201);
    cr_assert_not(f[0]->response.coalesced);
    cr_assert(f[1]->response.coalesced);
    finish(leader);
    fetch_unref(f[0]);
    fetch_unref(f[1]);
}

Test(coalesce, each_has_the_time_in_the_queue_since_it_joined)
{
    struct curlew_fetch *f[3], *leader;

    coalesce_init(&all);
    for (int i = 0; i < 3; i++)
        f[i] = get("http://a.test/");
    leader = coalesce_join(&all, f[0]);
    fetch_set_state(leader, FETCH_POSTED);
    fetch_set_state(leader, FETCH_QUEUED);
    leader->posted_us = clock_us() - 40 * US_PER_SECOND; /* at its second hop */
    leader->response.timing.queue = 2;
    coalesce_join(&all, f[1]);
    fetch_set_state(leader, FETCH_RUNNING);
    leader->response.timing.queue += 50;
    coalesce_join(&all, f[2]);

    coalesce_take_impatient(leader, INT64_MAX, &taken);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(coalesce_next_follower(leader, &taken), f[i]);
    cr_assert_eq(f[0]->response.timing.queue, 52);
    cr_assert_float_eq(f[1]->response.timing.queue, 10, 1);
    cr_assert_eq(f[2]->response.timing.queue, 0);
    finish(leader);
    for (int i = 0; i < 3; i++)
        fetch_unref(f[i]);
}

Test(coalesce, another_url_header_or_setting_is_another_flight)
{
    struct curlew_fetch *f[4], *leaders[4];

    coalesce_init(&all);
    for (int i = 0; i < 4; i++)
        f[i] = get(i == 1 ? "http://a.test/x" : "http://a.test/");
    cr_assert_eq(request_add_header(&f[2]->request, "Accept", "text/x", &f[2]->failure), 0);
    f[3]->request.verify = false;
    for (int i = 0; i < 4; i++)
        cr_assert_not_null(leaders[i] = coalesce_join(&all, f[i]), "%d", i);
    for (int i = 0; i < 4; i++) {
        cr_assert(coalesce_detach(f[i]));
        finish(leaders[i]);
        fetch_unref(f[i]);
    }
}

Test(coalesce, after_the_leader_is_closed_the_next_one_starts_anew)
{
    struct curlew_fetch *f[2] = { get("http://a.test/"), get("http://a.test/") }, *leaders[2];

    coalesce_init(&all);
    leaders[0] = coalesce_join(&all, f[0]);
    coalesce_close(leaders[0]);
    leaders[1] = coalesce_join(&all, f[1]);
    cr_assert_not_null(leaders[1]);
    cr_assert_neq(leaders[1], leaders[0]);
    for (int i = 0; i < 2; i++) {
        coalesce_detach(f[i]);
        finish(leaders[i]);
        fetch_unref(f[i]);
    }
}

Test(coalesce, the_last_follower_that_leaves_ends_the_flight)
{
    struct curlew_fetch *f[2] = { get("http://a.test/"), get("http://a.test/") }, *leader;

    coalesce_init(&all);
    f[0]->request.total_timeout_ms = 1000;
    f[1]->request.total_timeout_ms = 5000;
    leader = coalesce_join(&all, f[0]);
    coalesce_join(&all, f[1]);
    cr_assert_eq(coalesce_latest_deadline(leader), f[1]->submitted_us + 5 * US_PER_SECOND);
    cr_assert_not(coalesce_detach(f[1]));
    cr_assert_eq(coalesce_latest_deadline(leader), f[0]->submitted_us + US_PER_SECOND);
    cr_assert(coalesce_detach(f[0]));
    finish(leader);
    fetch_unref(f[0]);
    fetch_unref(f[1]);
}

Test(coalesce, followers_get_the_leaders_failure)
{
    struct curlew_fetch *f = get("http://a.test/"), *leader;

    coalesce_init(&all);
    leader = coalesce_join(&all, f);
    failure_set(&leader->failure, ERROR_CONNECT_FAILED, "refused");
    coalesce_take_impatient(leader, INT64_MAX, &taken);
    cr_assert_eq(coalesce_next_follower(leader, &taken), f);
    cr_assert_eq(f->failure.error, ERROR_CONNECT_FAILED);
    cr_assert_str_eq(f->failure.detail, "refused");
    finish(leader);
    fetch_unref(f);
}

#define CROWD 20000

/* Half of them wait on, and come first; to look through these for each of the others takes long. */
Test(coalesce, of_a_crowd_the_impatient_are_taken_quickly)
{
    static struct curlew_fetch *f[CROWD];
    struct curlew_fetch *leader = NULL, *first;
    int64_t before;

    coalesce_init(&all);
    for (int i = 0; i < CROWD; i++) {
        f[i] = get("http://a.test/");
        f[i]->request.total_timeout_ms = 60000;
        first = coalesce_join(&all, f[i]);
        leader = first != NULL ? first : leader;
        if (i >= CROWD / 2)
            f[i]->request.total_timeout_ms = 1000;
    }
    before = clock_us();
    coalesce_take_impatient(leader, f[CROWD - 1]->submitted_us + 2 * US_PER_SECOND, &taken);
    for (int i = CROWD / 2; i < CROWD; i++)
        cr_assert_eq(coalesce_next_follower(leader, &taken), f[i]);
    cr_assert_lt(clock_us() - before, 200 * US_PER_MS);
    cr_assert_null(coalesce_next_follower(leader, &taken));
    coalesce_take_impatient(leader, INT64_MAX, &taken);
    for (int i = 0; i < CROWD / 2; i++)
        cr_assert_eq(coalesce_next_follower(leader, &taken), f[i]);
    finish(leader);
    for (int i = 0; i < CROWD; i++)
        fetch_unref(f[i]);
}
