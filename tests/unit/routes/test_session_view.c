/* test_session_view.c - the sessions that a caller may see. */

#include "routes/session_view.h"

#include "engine/engine.h"
#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ALL  "0123456789abcdef"
#define SHOP "fedcba9876543210"

static struct route_fixture t;
static struct session_view view;
static struct failure err;

static void
setup(void)
{
    route_fixture_open(&t);
    for (int i = 0; i < 2; i++) {
        struct session_config s;

        session_config_init(&s);
        s.name = strdup(i == 0 ? "shop" : "api");
        cr_assert_eq(engine_put_session(t.server.engine, &s, &err), 0);
        session_config_destroy(&s);
    }
}

static void
teardown(void)
{
    session_view_close(&view);
    route_fixture_close(&t);
}

TestSuite(session_view, .init = setup, .fini = teardown, .timeout = 30);

Test(session_view, without_tokens_everybody_sees_all)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    cr_assert_eq(session_view_open(&view, &t.x, &err), 0);
    cr_assert_eq(view.count, 3);
    cr_assert_not(view.limited);
}

Test(session_view, a_token_for_every_session_sees_all)
{
    route_fixture_set_tokens(&t, ALL "\n");
    ROUTE_ACCEPT(&t, "HTTP_AUTHORIZATION", "Bearer " ALL);
    cr_assert_eq(session_view_open(&view, &t.x, &err), 0);
    cr_assert_eq(view.count, 3);
    cr_assert_not(view.limited);
}

Test(session_view, a_limited_token_sees_its_own)
{
    route_fixture_set_tokens(&t, SHOP " shop gone\n");
    ROUTE_ACCEPT(&t, "HTTP_AUTHORIZATION", "Bearer " SHOP);
    cr_assert_eq(session_view_open(&view, &t.x, &err), 0);
    cr_assert_eq(view.count, 1);
    cr_assert_str_eq(view.sessions[0]->settings.name, "shop");
    cr_assert(view.limited);
}

Test(session_view, without_a_token_nothing_is_seen)
{
    route_fixture_set_tokens(&t, ALL "\n");
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    cr_assert_eq(session_view_open(&view, &t.x, &err), -1);
    cr_assert_eq(err.error, ERROR_UNAUTHORIZED);
}
