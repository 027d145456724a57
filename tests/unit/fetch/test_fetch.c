/* test_fetch.c - one fetch: its states, its account of buffered bytes, its method. */

#include "fetch/fetch.h"

#include "support/fetch_fixture.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

static struct curlew_fetch *f;

static void
setup(void)
{
    f = fetch_new();
    cr_assert_not_null(f);
}

static void
teardown(void)
{
    fetch_unref(f);
}

TestSuite(fetch, .init = setup, .fini = teardown, .timeout = 60);

static void
moves_through(const enum fetch_state *states, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fetch_set_state(f, states[i]);
        cr_assert_eq(f->state, states[i]);
    }
}

Test(fetch, a_fetch_waits_runs_and_may_be_submitted_again)
{
    static const enum fetch_state states[] = {
        FETCH_POSTED, FETCH_QUEUED,    FETCH_RUNNING, FETCH_RUNNING, FETCH_BACKOFF,
        FETCH_QUEUED, FETCH_RUNNING,   FETCH_POSTED,  FETCH_QUEUED,  FETCH_DONE,
        FETCH_POSTED, FETCH_FOLLOWING, FETCH_DONE,
    };

    moves_through(states, sizeof states / sizeof states[0]);
}

Test(fetch, a_fetch_that_is_done_does_not_run, .signal = SIGABRT)
{
    static const enum fetch_state states[] = { FETCH_POSTED, FETCH_DONE, FETCH_RUNNING };

    moves_through(states, sizeof states / sizeof states[0]);
}

Test(fetch, a_new_fetch_does_not_wait_before_it_is_posted, .signal = SIGABRT)
{
    fetch_set_state(f, FETCH_QUEUED);
}

Test(fetch, a_new_one_has_nothing_of_those_before)
{
    struct curlew_fetch *many[40];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
            cr_assert_not_null(many[i] = fetch_new());
            cr_assert_eq(many[i]->state, FETCH_NEW);
            cr_assert_eq(many[i]->index, -1);
            cr_assert_null(many[i]->arg);
            cr_assert_null(many[i]->request.url);
            cr_assert_eq(many[i]->listed, 0);
            cr_assert_eq(many[i]->response.attempts, 0);
        }
        for (int i = 0; i < 40; i++) {
            many[i]->index = i;
            many[i]->arg = &many[i];
            many[i]->listed = 7;
            many[i]->response.attempts = 3;
            many[i]->request.url = strdup("http://a.test/");
            fetch_unref(many[i]);
        }
    }
}

static void *
make_and_free(void *arg)
{
    for (int i = 0; i < 3; i++)
        fetch_unref(fetch_new());
    return arg;
}

Test(fetch, a_thread_that_ends_leaves_none_behind)
{
    pthread_t thread;
    struct mallinfo2 before, after;

    mallopt(M_ARENA_MAX, 1);      /* mallinfo2() tells of one */
    for (int i = 0; i < 2; i++) { /* what a first thread allocates stays */
        before = mallinfo2();
        cr_assert_eq(pthread_create(&thread, NULL, make_and_free, NULL), 0);
        pthread_join(thread, NULL);
        after = mallinfo2();
    }
    cr_assert_lt(after.uordblks, before.uordblks + sizeof(struct curlew_fetch));
}

Test(fetch, buffered_bytes_are_counted_up_to_the_limit_and_given_back)
{
    struct config_snapshot *config = calloc(1, sizeof *config);

    config->bodies = body_account_new();
    config->limits.buffered_bytes = 10;
    f->config = config;
    cr_assert_eq(fetch_try_buffer(f, 10), 0);
    cr_assert_eq(fetch_try_buffer(f, 1), -1);
    cr_assert_eq(f->buffered, 10);
    cr_assert_eq(counter_read(&config->bodies->bytes), 10);
    fetch_set_buffered(f, 12);
    cr_assert_eq(counter_read(&config->bodies->bytes), 12, "written out: counted, not refused");
    fetch_set_buffered(f, 0);
    cr_assert_eq(counter_read(&config->bodies->bytes), 0);
    f->config = NULL;
    body_account_unref(config->bodies);
    free(config);
}

Test(fetch, a_body_makes_the_method_post)
{
    char body[] = "x", put[] = "PUT";

    cr_assert_str_eq(request_method(&f->request), "GET");
    f->request.body = body;
    cr_assert_str_eq(request_method(&f->request), "POST");
    f->request.method = put;
    cr_assert_str_eq(request_method(&f->request), "PUT");
    f->request.body = NULL;
    f->request.method = NULL;
}

/* -- where what the session adds may go -------------------------------------------- */

/* A fetch of `hops`, one after the other: may the session's additions go with each?  "yn…" */
static void
lends(const char *answers, const char *host, const char *const *hops)
{
    struct fetch_fixture t;
    struct curlew_fetch *g;
    struct failure err = { 0 };

    fetch_fixture_open(&t);
    if (host != NULL) {
        struct session_config *s = &t.session->settings;

        cr_assert_eq(egress_config_add(&s->hosts, &s->host_count, host), 0);
        egress_rule_list_init(&t.session->hosts, s->hosts, s->host_count, "hosts", &err);
    }
    g = fetch_fixture_new(&t, hops[0]);
    for (size_t i = 0; answers[i] != '\0'; i++) {
        struct url next;

        if (i > 0) {
            cr_assert_eq(url_parse(&next, hops[i], &g->failure), 0);
            fetch_set_next_url(g, &next);
        }
        cr_expect_eq(fetch_may_lend(g), answers[i] == 'y', "%s: hop %zu", answers, i);
    }
    fetch_unref(g);
    fetch_fixture_close(&t);
}

Test(fetch, what_the_session_adds_stays_with_the_first_origin)
{
    static const char *const hops[] = { "http://a.test/",    "http://a.test:80/x",
                                        "http://a.test:81/", "https://a.test/",
                                        "http://b.test/",    "http://A.test/" };

    lends("yynnny", NULL, hops);
}

Test(fetch, what_the_session_adds_stays_with_its_hosts)
{
    static const char *const hops[] = { "http://b.test/", "http://a.test:81/", "http://127.0.0.1/",
                                        "https://a.test/", "http://a.test/" };

    lends("nynyy", "a.test", hops);
}

Test(fetch, what_the_session_adds_never_goes_in_the_clear_after_https)
{
    static const char *const hops[] = { "https://a.test/", "http://a.test/", "https://x.a.test/" };

    lends("yny", "*.a.test",
          (const char *const[]){ "https://y.a.test/", "http://y.a.test/", "https://x.a.test/" });
    lends("yn", "a.test", hops);
    lends("yn", NULL, hops);
}
