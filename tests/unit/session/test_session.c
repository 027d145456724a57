/* test_session.c - a named session: settings that never change, and a state that outlives them. */

#include "session/session.h"

#include "egress/egress_config.h"
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

/* -- where what it adds may go, and who resolves names ------------------------- */

Test(session, what_it_adds_may_go_to_its_hosts)
{
    struct session *s = session_of(NULL);

    cr_assert(session_has_host(s, "any.test"), "none are named");
    session_unref(s);
    cr_assert_eq(egress_config_add(&settings.hosts, &settings.host_count, "api.test"), 0);
    cr_assert_eq(egress_config_add(&settings.hosts, &settings.host_count, "*.b.test"), 0);
    s = session_of(NULL);
    cr_assert(session_has_host(s, "api.test") && session_has_host(s, "x.b.test"));
    cr_assert_not(session_has_host(s, "any.test") || session_has_host(s, "b.test"));
    session_unref(s);
}

Test(session, hosts_that_are_none_are_an_error)
{
    cr_assert_eq(egress_config_add(&settings.hosts, &settings.host_count, "*"), 0);
    cr_assert_null(session_new(&settings, NULL, &err));
    cr_assert_eq(strncmp(err.detail, "hosts: ", 7), 0, "%s", err.detail);
}

Test(session, lets_the_proxies_resolve_names_that_the_operator_has_named)
{
    settings.defaults.proxy = strdup("http://one:1");
    cr_assert_eq(egress_config_add(&settings.proxies, &settings.proxy_count, "http://two:1"), 0);
    cr_assert(session_lets_resolve(&settings, "http://one:1"));
    cr_assert(session_lets_resolve(&settings, "http://two:1"));
    cr_assert_not(session_lets_resolve(&settings, "http://three:1"));

    settings.proxies_by_limited = true;
    cr_assert_not(session_lets_resolve(&settings, "http://one:1"));
    cr_assert_not(session_lets_resolve(&settings, "http://two:1"));
    settings.proxy_resolves = true;
    cr_assert(session_lets_resolve(&settings, "http://three:1"));
}
