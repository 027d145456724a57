/* test_session.c - a named session: settings that never change, and a state that outlives them. */

#include "session/session.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct session_config settings;
static struct failure err;

static void
setup(void)
{
    session_config_init(&settings);
    settings.name = strdup("api");
}

static void
teardown(void)
{
    session_config_destroy(&settings);
    runner_check_leaks();
}

TestSuite(session, .init = setup, .fini = teardown, .timeout = 60);

static struct session *
session_of(const struct session *old)
{
    struct session *s = session_new(&settings, old, &err);

    cr_assert_not_null(s, "%s", err.detail);
    return s;
}

Test(session, its_settings_are_a_copy)
{
    struct session *s;

    settings.max_in_flight = 7;
    s = session_of(NULL);
    settings.max_in_flight = 8;
    settings.name[0] = 'x';
    cr_assert_eq(s->settings.max_in_flight, 7);
    cr_assert_str_eq(s->settings.name, "api");
    session_unref(s);
}

Test(session, a_new_one_has_a_state_of_its_own)
{
    struct session *one = session_of(NULL), *other = session_of(NULL);

    cr_assert_neq(one->state, other->state);
    cr_assert_neq(one->state->id, other->state->id);
    cr_assert_str_eq(one->state->name, "api");
    session_unref(one);
    session_unref(other);
}

Test(session, the_state_outlives_the_session_that_began_it)
{
    struct session *old = session_of(NULL), *now = session_of(old);

    counter_add(&old->state->outcomes[0], 3);
    session_unref(old);
    cr_assert_eq(counter_read(&now->state->outcomes[0]), 3);
    session_unref(now);
}

Test(session, its_proxies_are_those_of_its_settings)
{
    struct session *s = session_of(NULL);

    cr_assert_null(proxy_pool_next(s->proxy_pool, 0));
    session_unref(s);
    settings.proxies = calloc(1, sizeof settings.proxies[0]);
    settings.proxies[0] = strdup("http://proxy.example:3128");
    settings.proxy_count = 1;
    s = session_of(NULL);
    cr_assert_str_eq(proxy_pool_next(s->proxy_pool, 0), "http://proxy.example:3128");
    session_unref(s);
    session_unref(NULL);
}
