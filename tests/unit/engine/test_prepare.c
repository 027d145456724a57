/* test_prepare.c - the door of the engine: what is taken, what is refused, what is counted. */

#include "engine/engine.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct test_origin o;
static struct curlew *c;
static struct failure err;

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", origin_serve_ok);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(prepare, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static void
went_well(struct run *r)
{
    run_await(r);
    cr_assert_str_eq(runner_code(r->fetch), "ok", "%s", curlew_fetch_detail(r->fetch));
    curlew_fetch_free(r->fetch);
}

static void
is_refused(struct curlew_fetch *f, enum error e, const char *detail)
{
    cr_assert_eq(engine_submit(c, f, NULL, NULL), -1);
    cr_assert_eq(f->failure.error, e, "%s", f->failure.detail);
    cr_assert_not_null(strstr(f->failure.detail, detail), "%s", f->failure.detail);
    curlew_fetch_free(f);
}

static struct curlew_fetch *
with_header(const char *name, const char *value)
{
    struct curlew_fetch *f = to("/");

    cr_assert_eq(request_add_header(&f->request, name, value, &err), 0);
    return f;
}

static struct curlew_fetch *
with_method(const char *method, const char *body)
{
    struct curlew_fetch *f = to("/");

    cr_assert_eq(curlew_fetch_set_method(f, method), 0);
    if (body != NULL)
        cr_assert_eq(curlew_fetch_set_body(f, body, strlen(body), NULL), 0);
    return f;
}

Test(prepare, what_would_confuse_the_framing_is_refused)
{
    is_refused(with_method("CONNECT", NULL), ERROR_BAD_REQUEST, "CONNECT");
    is_refused(with_method("HEAD", "x"), ERROR_BAD_REQUEST, "HEAD takes no body");
    is_refused(with_header("Content-Length", "5"), ERROR_BAD_REQUEST, "headers.Content-Length");
    is_refused(with_header("transfer-encoding", "chunked"), ERROR_BAD_REQUEST,
               "headers.transfer-encoding");
    is_refused(with_header("CONTENT-LENGTH", NULL), ERROR_BAD_REQUEST, "headers.CONTENT-LENGTH");
}

Test(prepare, what_cannot_be_fetched_is_refused_at_once)
{
    struct curlew_fetch *f = to("/");

    f->request.session = strdup("nobody");
    is_refused(f, ERROR_UNKNOWN_SESSION, "nobody");
    f = fetch_new();
    is_refused(f, ERROR_BAD_REQUEST, "url: missing");
    is_refused(curlew_fetch_new("ftp://127.0.0.1/"), ERROR_BAD_URL, "url: ");
    is_refused(curlew_fetch_new("http://10.0.0.1/"), ERROR_BLOCKED, "egress");
    f = to("/");
    f->request.proxy = strdup("ftp://127.0.0.1");
    is_refused(f, ERROR_BAD_REQUEST, "proxy: ");
    cr_assert_eq(counter_read(&c->stats.guard_refusals), 1);
}

Test(prepare, a_refused_fetch_may_be_submitted_again)
{
    struct curlew_fetch *f;
    struct run r;

    f = curlew_fetch_new("http://10.0.0.1/");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(engine_submit(c, f, NULL, NULL), -1);
    free(f->request.url);
    f->request.url = strdup(o.url);
    run_start(&r, c, f);
    went_well(&r);
}

Test(prepare, a_draining_engine_refuses_and_finishes)
{
    struct run r;

    run_start(&r, c, to("/hold"));
    origin_await_held(&o, 1);
    curlew_drain(c);
    is_refused(to("/"), ERROR_DRAINING, "stopping");
    origin_release(&o, 1);
    went_well(&r);
}

/* -- figures ------------------------------------------------------------- */

Test(prepare, every_outcome_is_counted_once)
{
    struct session_state *s;
    struct curlew_fetch *f;

    s = config_snapshot_find_session(c->config, "default")->state;
    for (int i = 0; i < 3; i++)
        curlew_fetch_free(runner_do(c, to("/")));
    is_refused(curlew_fetch_new("http://10.0.0.1/"), ERROR_BLOCKED, "");
    f = runner_do(c, runner_fetch("http://127.0.0.1:1/"));
    cr_assert_str_eq(runner_code(f), "connect_failed");
    curlew_fetch_free(f);

    cr_assert_eq(counter_read(&s->outcomes[ERROR_NONE]), 3);
    cr_assert_eq(counter_read(&s->outcomes[ERROR_BLOCKED]), 1);
    cr_assert_eq(counter_read(&s->outcomes[ERROR_CONNECT_FAILED]), 1);
    cr_assert_eq(counter_read(&s->in_flight), 0);
    cr_assert_eq(counter_read(&c->stats.bytes_received), 3 * 2);
    cr_assert_eq(counter_read(&c->stats.connections), 1);
    cr_assert_eq(counter_read(&c->stats.connections_opened), 2, "one of them in vain");
}
