/* runner.c - engines that may fetch from loopback, and fetches that a test waits for. */

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE_S 30

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

static atomic_int done_count;

void
runner_settings(struct engine_config *s)
{
    engine_config_init(s);
    runner_allow(s, "127.0.0.0/8");
}

void
runner_allow(struct engine_config *s, const char *rule)
{
    cr_assert_eq(egress_config_add(&s->egress.allow, &s->egress.allow_count, rule), 0);
}

struct curlew *
runner_engine(struct engine_config *s)
{
    struct failure err = { 0 };
    struct curlew *c = engine_new(s, &err);

    engine_config_destroy(s);
    cr_assert_not_null(c, "%s", err.detail);
    return c;
}

struct curlew *
runner_default_engine(void)
{
    struct engine_config s;

    runner_settings(&s);
    return runner_engine(&s);
}

struct curlew_fetch *
runner_fetch(const char *format, ...)
{
    struct curlew_fetch *f;
    va_list ap;
    char *url;
    int n;

    va_start(ap, format);
    n = vasprintf(&url, format, ap);
    va_end(ap);
    cr_assert_geq(n, 0);
    f = curlew_fetch_new(url);
    free(url);
    cr_assert_not_null(f);
    return f;
}

static void
on_done(struct curlew_fetch *f, void *arg)
{
    struct run *r = arg;

    (void)f;
    r->order = atomic_fetch_add(&done_count, 1);
    r->over = true;
    sem_post(&r->done);
}

void
run_start(struct run *r, struct curlew *c, struct curlew_fetch *f)
{
    *r = (struct run){ .fetch = f };
    sem_init(&r->done, 0, 0);
    cr_assert_eq(curlew_submit(c, f, on_done, r), 0, "%s", f->failure.detail);
}

void
run_await(struct run *r)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    cr_assert_eq(sem_timedwait(&r->done, &until), 0, "the fetch never came back");
}

struct curlew_fetch *
runner_do(struct curlew *c, struct curlew_fetch *f)
{
    struct run r;

    run_start(&r, c, f);
    run_await(&r);
    return f;
}

const char *
runner_code(const struct curlew_fetch *f)
{
    const char *code = curlew_fetch_error(f);

    return code != NULL ? code : "ok";
}

void
runner_check_leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
    cr_assert_eq(__lsan_do_recoverable_leak_check(), 0, "memory has leaked");
#endif
}
