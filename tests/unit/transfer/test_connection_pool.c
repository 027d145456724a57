/* test_connection_pool.c - the sockets of one engine thread, busy and idle. */

#include "transfer/connection_pool.h"

#include "support/fetch_fixture.h"
#include "support/origin.h"
#include "support/runner.h"
#include "transfer/handle_cache.h"
#include "transfer/hop.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct test_origin o;
static struct curlew *c;

static void
serve(struct seen_request *x)
{
    if (origin_is(x, "/hold"))
        origin_hold(x);
    origin_reply(x, 200, "", "ok");
    if (origin_is(x, "/close"))
        x->close = true;
    if (origin_is(x, "/late")) {
        usleep(50000);
        origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforeign");
    }
}

static void
start_engine(int idle_connections, int idle_seconds)
{
    struct session_config both[2];
    struct engine_config s;

    runner_settings(&s);
    session_config_destroy(&s.sessions[0]);
    free(s.sessions);
    for (int i = 0; i < 2; i++) {
        session_config_init(&both[i]);
        both[i].name = strdup(i == 0 ? "default" : "other");
        both[i].idle_connections = idle_connections;
        both[i].idle_seconds = idle_seconds;
    }
    s.sessions = both;
    s.session_count = 2;
    c = engine_new(&s, &(struct failure){ 0 });
    session_config_destroy(&both[0]);
    session_config_destroy(&both[1]);
    egress_config_destroy(&s.egress);
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
}

static void
teardown(void)
{
    curlew_free(c);
    origin_await_open(&o, 0);
    runner_check_leaks();
}

TestSuite(connection_pool, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path, const char *session)
{
    struct curlew_fetch *f = runner_fetch("%s%s", o.url, path);

    f->request.session = strdup(session);
    return f;
}

static void
get(const char *path, const char *session)
{
    struct curlew_fetch *f = runner_do(c, to(path, session));

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    curlew_fetch_free(f);
}

/* So many at once, each on a connection of its own. */
static void
open_connections(int n, const char *session)
{
    struct run runs[32];

    for (int i = 0; i < n; i++)
        run_start(&runs[i], c, to("/hold", session));
    origin_await_held(&o, n);
    origin_release(&o, n);
    for (int i = 0; i < n; i++) {
        run_await(&runs[i]);
        curlew_fetch_free(runs[i].fetch);
    }
}

static int64_t
connections(void)
{
    return counter_read(&c->stats.connections);
}

static void
await_connections(int64_t n)
{
    for (int i = 0; i < 220 && connections() != n; i++)
        usleep(10000);
    cr_assert_eq(connections(), n);
}

Test(connection_pool, connections_stay_open_up_to_exactly_the_sessions_limit)
{
    start_engine(3, 60);
    open_connections(3, "default");
    usleep(50000);
    cr_assert_eq(connections(), 3);
    open_connections(5, "default");
    origin_await_open(&o, 3);
    cr_assert_eq(connections(), 3);
    cr_assert_eq(origin_connections(&o), 5, "three were warm");
}

Test(connection_pool, of_0_idle_connections_none_stays_open)
{
    start_engine(0, 60);
    get("/", "default");
    origin_await_open(&o, 0);
    cr_assert_eq(connections(), 0);
    get("/", "default");
    cr_assert_eq(origin_connections(&o), 2);
}

Test(connection_pool, the_limit_is_for_each_session)
{
    start_engine(2, 60);
    open_connections(2, "default");
    open_connections(4, "other"); /* two of them over the warm ones of the first */
    usleep(50000);
    cr_assert_eq(connections(), 4);
    open_connections(6, "other");
    origin_await_open(&o, 4);
    cr_assert_eq(connections(), 4);
}

Test(connection_pool, a_connection_idle_for_too_long_is_closed)
{
    int64_t before;

    start_engine(10, 1);
    get("/", "default");
    before = clock_us();
    cr_assert_eq(connections(), 1);
    origin_await_open(&o, 0);
    cr_assert_geq(clock_us() - before, 900 * US_PER_MS);
    cr_assert_lt(clock_us() - before, 5 * US_PER_SECOND);
    cr_assert_eq(connections(), 0);
    get("/", "default");
    cr_assert_eq(origin_connections(&o), 2);
}

Test(connection_pool, a_connection_in_use_is_not_idle)
{
    struct run r;

    start_engine(10, 1);
    get("/", "default");
    run_start(&r, c, to("/hold", "default"));
    origin_await_held(&o, 1);
    usleep(1500000);
    cr_assert_eq(connections(), 1);
    origin_release(&o, 1);
    run_await(&r);
    cr_assert_str_eq(runner_code(r.fetch), "ok", "%s", curlew_fetch_detail(r.fetch));
    curlew_fetch_free(r.fetch);
}

Test(connection_pool, connections_that_the_origin_closed_are_not_used_again_and_do_not_pile_up)
{
    start_engine(10, 60);
    for (int i = 0; i < 20; i++)
        get("/close", "default");
    cr_assert_eq(origin_connections(&o), 20);
    await_connections(0);
}

Test(connection_pool, connections_that_fail_leave_the_count)
{
    start_engine(10, 60);
    for (int i = 0; i < 5; i++)
        curlew_fetch_free(runner_do(c, runner_fetch("http://127.0.0.1:1/")));
    cr_assert_eq(connections(), 0);
}

Test(connection_pool, one_thread_stands_many_connections)
{
    static struct run runs[300];

    start_engine(300, 60);
    for (int i = 0; i < 300; i++)
        run_start(&runs[i], c, to("/hold", "default"));
    origin_await_held(&o, 300);
    cr_assert_eq(connections(), 300);
    for (int i = 0; i < 300; i += 2)
        curlew_cancel(runs[i].fetch);
    for (int i = 0; i < 300; i += 2) {
        run_await(&runs[i]);
        curlew_fetch_free(runs[i].fetch);
    }
    origin_release(&o, 300);
    for (int i = 1; i < 300; i += 2) {
        run_await(&runs[i]);
        cr_assert_str_eq(runner_code(runs[i].fetch), "ok");
        curlew_fetch_free(runs[i].fetch);
    }
    cr_assert_eq(connections(), 150);
}

/* -- one transfer begins in the call of libcurl that ends another's ---------- */

struct begun {
    struct fetch_fixture t;
    struct handle_cache handles;
    struct loop loop;
    CURLM *multi;
    struct connection_pool pool;
    struct curlew_fetch *first, *second;
    int fd; /* the first has opened it, and both have used it */
};

static struct curlew_fetch *
begin(struct begun *b)
{
    struct curlew_fetch *f = fetch_fixture_new(&b->t, "http://a.test/");

    cr_assert_eq(handle_cache_acquire(&b->handles, f), 0);
    connection_pool_attach(f, &b->pool);
    return f;
}

static void
begin_both(struct begun *b)
{
    fetch_fixture_open(&b->t);
    cr_assert_eq(loop_init(&b->loop), 0);
    cr_assert_not_null(b->multi = curl_multi_init());
    connection_pool_init(&b->pool, &b->loop, &b->t.stats, b->multi, NULL);
    b->first = begin(b);
    b->second = begin(b);
    b->fd = connection_pool_open(b->first, AF_UNIX, SOCK_STREAM, 0);
    cr_assert_geq(b->fd, 0);
    connection_pool_on_request(b->first, 1);
    connection_pool_on_request(b->second, 1);
}

static void
end(struct begun *b, struct curlew_fetch *f)
{
    static struct link none;

    list_init(&none);
    connection_pool_mark_idle(&b->pool, f, b->fd, true, &none);
}

static void
end_both(struct begun *b)
{
    close(b->fd);
    connection_pool_hop_done(b->first); /* finds it closed */
    connection_pool_stop(&b->pool);
    handle_cache_release(&b->handles, b->first);
    handle_cache_release(&b->handles, b->second);
    handle_cache_destroy(&b->handles);
    curl_multi_cleanup(b->multi);
    connection_pool_destroy(&b->pool);
    loop_destroy(&b->loop);
    fetch_unref(b->first);
    fetch_unref(b->second);
    fetch_fixture_close(&b->t);
}

/* As a stream does whose reader is slower than the origin: libcurl then waits for nothing. */
Test(connection_pool, a_transfer_that_has_begun_and_paused_keeps_its_connection)
{
    struct begun b = { 0 };

    begin_both(&b);
    end(&b, b.first);
    cr_assert_eq(b.pool.idle_count, 0);
    end(&b, b.second);
    cr_assert_eq(b.pool.idle_count, 1);
    end_both(&b);
}

Test(connection_pool, bytes_after_a_response_keep_the_next_transfer_off_its_connection)
{
    struct begun b = { 0 };
    int ends[2];

    begin_both(&b);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(dup2(ends[0], b.fd), b.fd);
    connection_pool_on_response(&b.pool, 1, true);
    cr_assert(connection_pool_is_usable(&b.pool, 1));
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_not(connection_pool_is_usable(&b.pool, 1));
    close(ends[0]);
    close(ends[1]);
    end_both(&b);
}

/* -- what an origin does while its connection is idle ------------------------ */

Test(connection_pool, a_byte_on_an_idle_connection_retires_it)
{
    start_engine(10, 60);
    get("/late", "default");
    await_connections(0);
    origin_await_open(&o, 0);
    get("/", "default");
    cr_assert_eq(origin_connections(&o), 2);
}

Test(connection_pool, a_connection_that_the_origin_closes_while_idle_is_closed)
{
    start_engine(10, 60);
    get("/close", "default");
    await_connections(0);
}

Test(connection_pool, a_retired_connection_is_never_written_to)
{
    start_engine(0, 60);
    for (int i = 0; i < 100; i++) {
        struct curlew_fetch *f = runner_do(c, to("/", "default"));

        cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
        cr_assert_eq(f->response.attempts, 1);
        cr_assert_not(f->response.reused);
        curlew_fetch_free(f);
    }
    cr_assert_eq(origin_requests(&o), 100);
    cr_assert_eq(counter_read(&c->stats.resends[RESEND_SAFE_METHOD]), 0);
}
