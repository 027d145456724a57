/* test_fetch_list.c - what is in flight, as the engine's threads tell it. */

#include "engine/fetch_list.h"

#include "support/origin.h"
#include "support/runner.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <string.h>

#define MANY 5

static struct test_origin o;
static struct curlew *c;
static struct failure err;

static void
setup(void)
{
    struct engine_config s;

    origin_start(&o, "127.0.0.1", origin_serve_ok);
    runner_settings(&s);
    s.threads = 3;
    s.sessions[0].max_per_origin = 2;
    c = runner_engine(&s);
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(fetch_list, .init = setup, .fini = teardown, .timeout = 60);

static void
post(void *semaphore)
{
    sem_post(semaphore);
}

static struct fetch_list *
gather(size_t limit)
{
    struct fetch_list *l = fetch_list_new(c, limit, &err);
    sem_t done;

    cr_assert_not_null(l, "%s", err.detail);
    sem_init(&done, 0, 0);
    l->done = post;
    l->arg = &done;
    fetch_list_ask(l);
    sem_wait(&done);
    sem_destroy(&done);
    cr_assert_eq(fetch_list_merge(l, &err), 0, "%s", err.detail);
    return l;
}

static void
start(struct run *runs, const char *path)
{
    for (int i = 0; i < MANY; i++)
        run_start(&runs[i], c, runner_fetch("%s%s", o.url, path));
    origin_await_held(&o, 2);
}

static void
end(struct run *runs)
{
    origin_release(&o, MANY);
    for (int i = 0; i < MANY; i++) {
        run_await(&runs[i]);
        curlew_fetch_free(runs[i].fetch);
    }
}

Test(fetch_list, an_idle_engine_has_none)
{
    struct fetch_list *l = gather(10);

    cr_assert_eq(l->count, 0);
    cr_assert_eq(l->total, 0);
    fetch_list_free(l);
}

Test(fetch_list, each_fetch_stands_with_its_session_origin_and_state)
{
    struct run runs[MANY];
    struct fetch_list *l;
    int waiting = 0, queued = 0;

    start(runs, "/hold");
    l = gather(10);
    cr_assert_eq(l->count, MANY);
    cr_assert_eq(l->total, MANY);
    for (size_t i = 0; i < l->count; i++) {
        cr_assert_str_eq(l->entries[i].session, "default");
        cr_assert_str_eq(l->entries[i].origin, o.url);
        cr_assert_leq(l->entries[i].submitted_us, l->asked_us);
        waiting += strcmp(l->entries[i].state, "waiting") == 0;
        queued += strcmp(l->entries[i].state, "queued") == 0;
    }
    cr_assert_eq(waiting, 2, "max_per_origin");
    cr_assert_eq(queued, MANY - 2);
    fetch_list_free(l);
    end(runs);
    l = gather(10);
    cr_assert_eq(l->total, 0);
    fetch_list_free(l);
}

Test(fetch_list, past_the_limit_the_oldest_stay_and_all_are_counted)
{
    struct run runs[MANY];
    struct fetch_list *all, *some;

    start(runs, "/hold");
    all = gather(MANY);
    some = gather(MANY - 1);
    cr_assert_eq(some->count, MANY - 1);
    cr_assert_eq(some->total, MANY);
    for (size_t i = 0; i < some->count; i++)
        cr_assert_eq(some->entries[i].fetch, all->entries[i].fetch);
    for (size_t i = 1; i < all->count; i++)
        cr_assert_leq(all->entries[i - 1].submitted_us, all->entries[i].submitted_us);
    fetch_list_free(all);
    fetch_list_free(some);
    end(runs);
}

Test(fetch_list, callers_that_share_a_transfer_stand_each_for_itself)
{
    struct run runs[MANY];
    struct fetch_list *l;
    int coalesced = 0;

    for (int i = 0; i < MANY; i++) {
        struct curlew_fetch *f = runner_fetch("%s/hold", o.url);

        f->request.coalesce = true;
        f->request.set |= SET_COALESCE;
        run_start(&runs[i], c, f);
    }
    origin_await_held(&o, 1);
    l = gather(10);
    cr_assert_eq(l->count, MANY);
    for (size_t i = 0; i < l->count; i++) {
        cr_assert_str_eq(l->entries[i].state, "waiting");
        coalesced += l->entries[i].coalesced;
    }
    cr_assert_eq(coalesced, MANY - 1);
    fetch_list_free(l);
    end(runs);
}

Test(fetch_list, so_many_lists_at_once_and_no_more)
{
    struct fetch_list *lists[FETCH_LISTS_MAX];

    for (int i = 0; i < FETCH_LISTS_MAX; i++)
        cr_assert_not_null(lists[i] = fetch_list_new(c, 1, &err));
    cr_assert_null(fetch_list_new(c, 1, &err));
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    fetch_list_free(lists[0]);
    cr_assert_not_null(lists[0] = fetch_list_new(c, 1, &err), "a place is free again");
    for (int i = 0; i < FETCH_LISTS_MAX; i++)
        fetch_list_free(lists[i]);
}

static bool
allows_none(const struct session *s, void *arg)
{
    (void)s;
    (void)arg;
    return false;
}

Test(fetch_list, what_may_not_be_listed_is_not_counted_either)
{
    struct run runs[MANY];
    struct fetch_list *l = fetch_list_new(c, 10, &err);
    sem_t done;

    start(runs, "/hold");
    sem_init(&done, 0, 0);
    l->allows = allows_none;
    l->done = post;
    l->arg = &done;
    fetch_list_ask(l);
    sem_wait(&done);
    cr_assert_eq(fetch_list_merge(l, &err), 0);
    cr_assert_eq(l->total, 0);
    fetch_list_free(l);
    end(runs);
}
