/*
 * test_config_snapshot.c - the configuration that new fetches start under, as one immutable object.
 */

#include "session/config_snapshot.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct engine_config s;
static struct config_snapshot *p;
static struct failure err;

static void
setup(void)
{
    engine_config_init(&s);
}

static void
teardown(void)
{
    config_snapshot_unref(p);
    engine_config_destroy(&s);
    runner_check_leaks();
}

TestSuite(snapshot, .init = setup, .fini = teardown, .timeout = 60);

static void
add_session(const char *name)
{
    s.sessions = realloc(s.sessions, (s.session_count + 1) * sizeof s.sessions[0]);
    session_config_init(&s.sessions[s.session_count]);
    s.sessions[s.session_count++].name = strdup(name);
}

static struct config_snapshot *
snapshot_of(const struct config_snapshot *old)
{
    struct config_snapshot *now = config_snapshot_new(&s, old, &err);

    cr_assert_not_null(now, "%s", err.detail);
    return now;
}

Test(snapshot, a_session_is_found_by_its_whole_name)
{
    add_session("api");
    p = snapshot_of(NULL);

    cr_assert_str_eq(config_snapshot_find_session(p, "default")->settings.name, "default");
    cr_assert_str_eq(config_snapshot_find_session(p, "api")->settings.name, "api");
    cr_assert_null(config_snapshot_find_session(p, "ap"));
    cr_assert_null(config_snapshot_find_session(p, "API"));
    cr_assert_null(config_snapshot_find_session(p, ""));
}

Test(snapshot, the_state_of_a_session_lives_on_under_the_same_name)
{
    struct config_snapshot *now;
    struct session_state *state;

    add_session("api");
    p = snapshot_of(NULL);
    state = config_snapshot_find_session(p, "api")->state;
    counter_add(&state->outcomes[0], 3);
    now = snapshot_of(p);
    config_snapshot_unref(p);
    p = now;

    cr_assert_eq(config_snapshot_find_session(p, "api")->state, state);
    cr_assert_eq(counter_read(&config_snapshot_find_session(p, "api")->state->outcomes[0]), 3);
    cr_assert_neq(config_snapshot_find_session(p, "default")->state, state);
}

Test(snapshot, the_account_of_bodies_lives_on)
{
    struct config_snapshot *now;

    p = snapshot_of(NULL);
    cr_assert(body_account_try_add(p->bodies, 5, 5));
    now = snapshot_of(p);
    cr_assert_eq(now->bodies, p->bodies);
    config_snapshot_unref(p);
    p = now;
    cr_assert_eq(counter_read(&p->bodies->bytes), 5);
}

Test(snapshot, another_name_starts_with_a_new_state)
{
    struct config_snapshot *now;

    add_session("api");
    p = snapshot_of(NULL);
    counter_add(&config_snapshot_find_session(p, "api")->state->outcomes[0], 3);
    free(s.sessions[1].name);
    s.sessions[1].name = strdup("other");
    now = snapshot_of(p);
    config_snapshot_unref(p);
    p = now;

    cr_assert_null(config_snapshot_find_session(p, "api"));
    cr_assert_eq(counter_read(&config_snapshot_find_session(p, "other")->state->outcomes[0]), 0);
}

Test(snapshot, a_rule_that_cannot_be_parsed_makes_no_snapshot)
{
    runner_allow(&s, "10.0.0.0/99");
    cr_assert_null(config_snapshot_new(&s, NULL, &err));
    cr_assert_neq(err.detail[0], '\0');
}

static void *
take_and_give_back(void *arg)
{
    for (int i = 0; i < 20000; i++)
        config_snapshot_unref(config_snapshot_ref(arg));
    return NULL;
}

Test(snapshot, references_count_from_every_thread)
{
    pthread_t threads[4];

    p = snapshot_of(NULL);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_and_give_back, p), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(p->refs, 1);
}

/* -- under a running engine ---------------------------------------------- */

static struct test_origin o;
static struct curlew *c;

static void
serve(struct seen_request *x)
{
    if (origin_is(x, "/hold"))
        origin_hold(x);
    origin_reply(x, 200, origin_is(x, "/set") ? "Set-Cookie: sid=1\r\n" : "",
                 origin_has(x, "Cookie: sid=1") ? "known" : "unknown");
}

static void
start_engine(void)
{
    origin_start(&o, "127.0.0.1", serve);
    runner_allow(&s, "127.0.0.0/8");
    s.sessions[0].shared_jar = true;
    c = engine_new(&s, &err);
    cr_assert_not_null(c);
}

static void
answers(const char *path, const char *body)
{
    struct curlew_fetch *f = runner_do(c, runner_fetch("%s%s", o.url, path));
    size_t n;

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_str_eq(curlew_fetch_body(f, &n), body);
    curlew_fetch_free(f);
}

Test(snapshot, a_reload_keeps_the_cookies_and_the_warm_connection)
{
    start_engine();
    answers("/set", "unknown");
    cr_assert_eq(engine_reload(c, &s, &err), 0);
    answers("/", "known");
    cr_assert_eq(origin_connections(&o), 1);
    curlew_free(c);
}

Test(snapshot, a_fetch_in_flight_goes_on_under_the_old_limits)
{
    struct run r;

    start_engine();
    run_start(&r, c, runner_fetch("%s/hold", o.url));
    origin_await_held(&o, 1);
    s.limits.response_bytes = 1;
    cr_assert_eq(engine_reload(c, &s, &err), 0);
    origin_release(&o, 1);
    run_await(&r);
    cr_assert_str_eq(runner_code(r.fetch), "ok", "%s", curlew_fetch_detail(r.fetch));
    curlew_fetch_free(r.fetch);

    curlew_free(c);
}

Test(snapshot, a_new_fetch_goes_by_the_new_limits)
{
    struct curlew_fetch *f;

    start_engine();
    s.limits.response_bytes = 3;
    cr_assert_eq(engine_reload(c, &s, &err), 0);
    f = runner_do(c, runner_fetch("%s/", o.url));
    cr_assert_str_eq(runner_code(f), "response_too_large");
    curlew_fetch_free(f);
    curlew_free(c);
}

/* The guard judges a warm connection by the rules of the fetch that would use it. */
Test(snapshot, a_warm_connection_is_not_used_past_new_egress_rules)
{
    struct curlew_fetch *f;

    start_engine();
    answers("/", "unknown");
    cr_assert_eq(egress_config_add(&s.egress.deny, &s.egress.deny_count, "127.0.0.0/8"), 0);
    cr_assert_eq(engine_reload(c, &s, &err), 0);
    f = runner_fetch("%s/", o.url);
    cr_assert_eq(curlew_submit(c, f, NULL, NULL), -1);
    cr_assert_str_eq(runner_code(f), "blocked");
    curlew_fetch_free(f);
    f = runner_do(c, runner_fetch("http://localhost:%d/", o.port)); /* judged at the socket */
    cr_assert_str_eq(runner_code(f), "blocked");
    curlew_fetch_free(f);
    curlew_free(c);
}

Test(snapshot, a_reload_that_fails_changes_nothing)
{
    start_engine();
    answers("/set", "unknown");
    runner_allow(&s, "no/rule");
    cr_assert_eq(engine_reload(c, &s, &err), -1);
    cr_assert_neq(err.detail[0], '\0');
    answers("/", "known");
    curlew_free(c);
}

static atomic_bool stop;

static void *
reload_often(void *arg)
{
    struct failure f = { 0 };

    (void)arg;
    while (!stop)
        if (engine_reload(c, &s, &f) != 0)
            abort();
    return NULL;
}

Test(snapshot, reloads_during_fetches_lose_none)
{
    pthread_t thread;

    start_engine();
    cr_assert_eq(pthread_create(&thread, NULL, reload_often, NULL), 0);
    for (int i = 0; i < 200; i++)
        answers("/", "unknown");
    stop = true;
    pthread_join(thread, NULL);
    curlew_free(c);
}

/* -- bytes ------------------------------------------------------------------- */

static int64_t
held(void)
{
    return counter_read(&p->session_account->bytes);
}

/* PUT of a session with a header of so many bytes; the error, or ERROR_NONE. */
static enum error
put(const char *name, size_t bytes)
{
    struct session_config put = { 0 };
    char *value = calloc(bytes + 1, 1);
    struct config_snapshot *now;

    memset(value, 'x', bytes);
    err = (struct failure){ 0 };
    session_config_init(&put);
    put.name = strdup(name);
    cr_assert_eq(request_add_header(&put.defaults, "X", value, &err), 0);
    free(value);
    now = config_snapshot_with_session(p, &put, &err);
    session_config_destroy(&put);
    if (now != NULL) {
        config_snapshot_unref(p);
        p = now;
    }
    return err.error;
}

Test(snapshot, a_session_has_a_limit_of_bytes)
{
    size_t room = 1000;

    s.limits.session_bytes = 100000;
    p = snapshot_of(NULL);
    while (put("a", room) == ERROR_NONE)
        room++;
    cr_assert_eq(err.error, ERROR_REQUEST_TOO_LARGE);
    cr_assert_not_null(strstr(err.detail, "limits.session_bytes"), "%s", err.detail);
    cr_assert_eq(p->sessions[1]->bytes, 100000);
}

Test(snapshot, all_sessions_together_have_a_limit_of_bytes)
{
    s.limits.sessions_bytes = 100000;
    p = snapshot_of(NULL);
    cr_assert_eq(put("a", 40000), ERROR_NONE);
    cr_assert_eq(put("b", 40000), ERROR_NONE);
    cr_assert_eq(put("c", 40000), ERROR_REQUEST_TOO_LARGE);
    cr_assert_not_null(strstr(err.detail, "limits.sessions_bytes"), "%s", err.detail);
    cr_assert_eq(put("b", 50000), ERROR_NONE, "it replaces one");
}

Test(snapshot, sessions_that_are_gone_are_given_back_with_the_last_snapshot)
{
    struct config_snapshot *first;
    int64_t before;

    p = snapshot_of(NULL);
    before = held();
    cr_assert_eq(put("a", 40000), ERROR_NONE);
    first = config_snapshot_ref(p);
    cr_assert_eq(put("a", 10), ERROR_NONE);
    cr_assert_gt(held(), before + 40000);
    config_snapshot_unref(first);
    cr_assert_lt(held(), before + 2000);
    first = config_snapshot_without_session(p, "a", &err);
    config_snapshot_unref(p);
    p = first;
    cr_assert_eq(held(), before);
}
