/* test_session_ceiling.c - how far a limited token may change a session. */

#include "session/session_ceiling.h"

#include <criterion/criterion.h>
#include <string.h>

static struct session_config old, s;
static struct failure err;

static void
setup(void)
{
    session_config_init(&old);
    session_config_init(&s);
}

static void
teardown(void)
{
    session_config_destroy(&old);
    session_config_destroy(&s);
}

TestSuite(session_ceiling, .init = setup, .fini = teardown);

static uint64_t
bit(const char *name)
{
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (strcmp(f->name, name) == 0)
            return UINT64_C(1) << i;
    cr_assert_fail("%s", name);
    return 0;
}

static int
apply(const struct session_config *before, uint64_t given)
{
    err = (struct failure){ 0 };
    return session_ceiling_apply(&s, before, given, &err);
}

Test(session_ceiling, every_key_about_load_has_one)
{
    static const char *const without[] = { "cookie_jar", "trace_context", "proxies",
                                           "breaker",    "ca_file",       "client_cert",
                                           "client_key", "hosts",         "proxy_resolves",
                                           "ciphers",    "resolve",       "interface",
                                           "isolate" };
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++) {
        bool has = (f->flags & (SESSION_AT_MOST | SESSION_AT_LEAST)) != 0, listed = false;

        for (size_t k = 0; k < sizeof without / sizeof without[0]; k++)
            listed = listed || strcmp(without[k], f->name) == 0;
        cr_assert_neq(has, listed, "%s", f->name);
        cr_assert(!has || f->kind == FIELD_INT || f->kind == FIELD_CHOICE ||
                      f->kind == FIELD_NUMBER,
                  "%s", f->name);
    }
}

Test(session_ceiling, a_new_session_has_the_defaults_as_its_ceiling)
{
    s.max_in_flight = 2048;
    cr_assert_eq(apply(NULL, bit("max_in_flight")), 0);
    cr_assert(s.by_limited_token && s.made_by_limited_token);
    s.max_in_flight = 2049;
    cr_assert_eq(apply(NULL, bit("max_in_flight")), -1);
    cr_assert_eq(err.error, ERROR_FORBIDDEN);
}

Test(session_ceiling, what_is_not_named_goes_back_to_it)
{
    old.max_per_origin = 3;
    old.idle_connections = 0;
    cr_assert_eq(apply(&old, 0), 0);
    cr_assert_eq(s.max_per_origin, 3);
    cr_assert_eq(s.idle_connections, 0);
    cr_assert_eq(s.max_in_flight, 2048);
    cr_assert_not(s.made_by_limited_token);
}

Test(session_ceiling, stays_the_operators_however_often_the_session_is_lowered)
{
    struct session_config lowered;

    old.max_in_flight = 100;
    s.max_in_flight = 10;
    cr_assert_eq(apply(&old, bit("max_in_flight")), 0);
    cr_assert_eq(session_config_copy(&lowered, &s, &err), 0);
    s.max_in_flight = 100;
    cr_assert_eq(apply(&lowered, bit("max_in_flight")), 0, "up again");
    s.max_in_flight = 101;
    cr_assert_eq(apply(&lowered, bit("max_in_flight")), -1);
    cr_assert_str_eq(err.detail, "max_in_flight: with this token at most 100");
    session_config_destroy(&lowered);
}

Test(session_ceiling, no_rate_limit_is_no_ceiling)
{
    s.rate_limit = (struct rate_limit){ .rate = 1000, .burst = 50 };
    cr_assert_eq(apply(&old, bit("rate_per_origin") | bit("burst")), 0, "%s", err.detail);
    cr_assert_eq(s.rate_limit.burst, 50);
    s.breaker.failures = 1000;
    cr_assert_eq(apply(&old, bit("breaker.failures")), 0, "nor is no breaker");
}

Test(session_ceiling, a_rate_limit_is_one_with_its_burst)
{
    old.rate_limit = (struct rate_limit){ .rate = 0.5, .burst = 2 };
    s.rate_limit = (struct rate_limit){ .rate = 0.25, .burst = 3 };
    cr_assert_eq(apply(&old, bit("rate_per_origin") | bit("burst")), -1);
    cr_assert_str_eq(err.detail, "burst: with this token at most 2");
    s.rate_limit = (struct rate_limit){ .rate = 0.75, .burst = 1 };
    cr_assert_eq(apply(&old, bit("rate_per_origin")), -1);
    cr_assert_str_eq(err.detail, "rate_per_origin: with this token at most 0.5");
    s.rate_limit = (struct rate_limit){ .rate = 0.25, .burst = 1 };
    cr_assert_eq(apply(&old, bit("rate_per_origin")), 0);
}
