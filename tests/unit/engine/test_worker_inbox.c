/* test_worker_inbox.c - how other threads reach an engine thread, here without any thread. */

#include "engine/worker_inbox.h"

#include "support/fetch_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define WORKERS 4

static struct fetch_fixture t;
static struct engine_worker workers[WORKERS], *pointers[WORKERS];
static struct curlew engine = { .workers = pointers, .worker_count = WORKERS };

static void
setup(void)
{
    fetch_fixture_open(&t);
    for (int i = 0; i < WORKERS; i++) {
        pointers[i] = &workers[i];
        workers[i].engine = &engine;
        cr_assert_eq(loop_init(&workers[i].loop), 0);
        mailbox_init(&workers[i].inbox);
    }
}

static void
teardown(void)
{
    for (int i = 0; i < WORKERS; i++) {
        mailbox_destroy(&workers[i].inbox);
        loop_destroy(&workers[i].loop);
    }
    fetch_fixture_close(&t);
}

TestSuite(worker_inbox, .init = setup, .fini = teardown, .timeout = 20);

static bool
is_woken(int worker)
{
    return atomic_exchange(&workers[worker].loop.woken, false);
}

Test(worker_inbox, an_origin_always_lands_on_the_same_thread_and_origins_spread)
{
    bool used[WORKERS] = { false };
    char origin[64];

    for (int i = 0; i < 200; i++) {
        struct engine_worker *w;

        snprintf(origin, sizeof origin, "https://host%d.example:443", i);
        w = worker_inbox_for(&engine, origin);
        cr_assert_eq(worker_inbox_for(&engine, origin), w);
        used[w - workers] = true;
    }
    for (int i = 0; i < WORKERS; i++)
        cr_assert(used[i], "thread %d", i);
}

Test(worker_inbox, a_fetch_that_is_posted_wakes_its_thread)
{
    struct curlew_fetch *f = fetch_new();
    struct mail *mail;

    worker_inbox_post(&workers[1], f);
    cr_assert_eq(f->state, FETCH_POSTED);
    cr_assert_eq(f->worker, &workers[1]);
    cr_assert(is_woken(1));
    cr_assert_not(is_woken(0));
    mail = mailbox_take(&workers[1].inbox);
    cr_assert_eq(mail, &f->mail);
    cr_assert_eq(mail->about, FETCH_SUBMITTED);
    fetch_unref(f);
}

Test(worker_inbox, a_fetch_is_cancelled_once_and_only_where_a_thread_has_it)
{
    struct curlew_fetch *f = fetch_new(), *nowhere = fetch_new();

    worker_inbox_cancel(nowhere);
    cr_assert(nowhere->cancelled);
    f->worker = &workers[2];
    worker_inbox_cancel(f);
    worker_inbox_cancel(f);
    cr_assert_eq(f->refs, 2, "the mail holds one");
    cr_assert_eq(mailbox_take(&workers[2].inbox), &f->cancel_mail);
    cr_assert_null(f->cancel_mail.next);
    fetch_unref(f);
    fetch_unref(f);
    fetch_unref(nowhere);
}

Test(worker_inbox, a_fetch_that_no_thread_has_is_not_resumed)
{
    struct curlew_fetch *f = fetch_new();

    worker_inbox_resume(f);
    cr_assert_eq(f->refs, 1);
    f->worker = &workers[0];
    worker_inbox_resume(f);
    cr_assert_eq(f->refs, 2);
    cr_assert_eq(mailbox_take(&workers[0].inbox), &f->resume_mail);
    fetch_unref(f);
    fetch_unref(f);
}

Test(worker_inbox, a_slot_that_is_free_wakes_the_others_where_a_fetch_is_queued)
{
    worker_inbox_slot_freed(&engine, &workers[0]);
    for (int i = 0; i < WORKERS; i++)
        cr_assert_not(is_woken(i), "nothing is queued");
    counter_add(&engine.stats.queued, 1);
    worker_inbox_slot_freed(&engine, &workers[0]);
    for (int i = 0; i < WORKERS; i++)
        cr_assert_eq(is_woken(i), i != 0, "%d", i);
}

Test(worker_inbox, a_reset_is_for_every_thread)
{
    worker_inbox_drop_reset(&engine);
    for (int i = 0; i < WORKERS; i++) {
        cr_assert(workers[i].drop_reset);
        cr_assert(is_woken(i));
    }
}
