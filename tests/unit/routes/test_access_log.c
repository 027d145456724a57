/* test_access_log.c - one log line a fetch: who asked for which origin, and what came of it. */

#include "routes/access_log.h"

#include "routes/route_context.h"
#include "support/origin.h"
#include "support/runner.h"
#include "util/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct route_context routes;
static struct fcgi_server server = { .handler_data = &routes };
static struct exchange x;
static struct curlew *engine;
static struct test_origin o;
static int from_log, saved;

static void
serve(struct seen_request *seen)
{
    if (origin_is(seen, "/go?secret=1"))
        origin_reply(seen, 302, "Location: /end\r\nSet-Cookie: sid=cookie-secret\r\n", "");
    else
        origin_reply(seen, 200, "", "hello");
}

static void
setup(void)
{
    int fds[2];

    origin_start(&o, "127.0.0.1", serve);
    engine = runner_default_engine();
    routes.log_access = true;
    exchange_init(&x);
    x.server = &server;
    cr_assert_eq(pipe(fds), 0);
    saved = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    from_log = fds[0];
    fcntl(from_log, F_SETFL, O_NONBLOCK);
    log_setup(LOG_INFO, false);
}

static void
teardown(void)
{
    dup2(saved, STDERR_FILENO);
    exchange_reset(&x);
    curlew_free(engine);
    runner_check_leaks();
}

TestSuite(access_log, .init = setup, .fini = teardown, .timeout = 30);

/* The line of the exchange's fetch. */
static const char *
line(void)
{
    static char text[8192];
    ssize_t n;

    access_log_fetch_done(&x, x.fetch);
    n = read(from_log, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
says(const char *text, const char *field)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, " %s", field);
    cr_assert_not_null(strstr(text, wanted), "%s is not in %s", field, text);
}

Test(access_log, a_fetch_that_went_well_is_told_in_one_line)
{
    const char *text;
    char origin[80];

    x.fetch = runner_do(engine, runner_fetch("%s/", o.url));
    text = line();
    snprintf(origin, sizeof origin, "origin=http://127.0.0.1:%d", o.port);
    says(text, "info fetch session=default method=GET");
    says(text, origin);
    says(text, "status=200");
    says(text, "bytes=5");
    says(text, "bytes_sent=0");
    says(text, "reused=0");
    says(text, "redirects=0");
    says(text, "attempts=1\n");
    says(text, "total=0.");
    cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
    cr_assert_null(strstr(text, "code="));
    cr_assert_null(strstr(text, "tag="));
}

Test(access_log, a_fetch_that_failed_tells_the_code)
{
    const char *text;

    x.fetch = runner_do(engine, runner_fetch("http://127.0.0.1:1/"));
    text = line();
    says(text, "code=connect_failed");
    cr_assert_null(strstr(text, "status="));
}

Test(access_log, no_secret_is_told)
{
    struct curlew_fetch *f = runner_fetch("http://user:password@127.0.0.1:%d/go?secret=1", o.port);
    const char *text;

    cr_assert_eq(curlew_fetch_add_header(f, "Authorization", "Bearer header-secret"), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "body-secret", 11, NULL), 0);
    x.fetch = runner_do(engine, f);
    text = line();
    says(text, "method=GET"); /* that is what the redirect made of it */
    says(text, "redirects=1");
    cr_assert_null(strstr(text, "secret"), "%s", text);
    cr_assert_null(strstr(text, "password"), "%s", text);
    cr_assert_null(strstr(text, "/go"), "%s", text);
    cr_assert_null(strstr(text, "/end"), "%s", text);
}

Test(access_log, a_tag_is_told_and_forges_nothing)
{
    const char *text;

    x.fetch = runner_fetch("%s/", o.url);
    x.fetch->request.tag = strdup("job 7\n2026-01-01T00:00:00.000Z error forged");
    runner_do(engine, x.fetch);
    text = line();
    says(text, "tag=\"job 7\\u000a2026-01-01T00:00:00.000Z error forged\"\n");
}

Test(access_log, a_fetch_refused_before_it_had_a_session_or_a_URL_is_told)
{
    const char *text;

    x.fetch = fetch_new();
    x.fetch->request.session = strdup("nobody");
    cr_assert_eq(engine_submit(engine, x.fetch, NULL, NULL), -1);
    text = line();
    says(text, "session=nobody");
    says(text, "code=unknown_session");
    cr_assert_null(strstr(text, "origin="));
    cr_assert_null(strstr(text, "method="));
}

Test(access_log, nothing_is_told_where_nobody_wants_it)
{
    routes.log_access = false;
    x.fetch = runner_do(engine, runner_fetch("%s/", o.url));
    cr_assert_str_eq(line(), "");
}

Test(access_log, a_slow_fetch_has_a_warning_that_tells_where_the_time_went)
{
    static const char *const keys[] = { "origin=",  "status=200", "queue=",      "dns=",
                                        "connect=", "tls=",       "first_byte=", "total=" };
    const char *text;

    routes.log_access = false;
    routes.log_slow_seconds = 1e-9;
    x.fetch = runner_do(engine, runner_fetch("%s/", o.url));
    text = line();
    says(text, "warning");
    says(text, "slow fetch ");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        says(text, keys[i]);
    routes.log_slow_seconds = 1000;
    cr_assert_str_eq(line(), "");
}
