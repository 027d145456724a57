/* test_route_handoff.c - POST …/v1/handoffs: keep a request object for a handoff by reference. */

#include "routes/route_handoff.h"

#include "routes/handoff_store.h"
#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_handoff, .init = setup, .fini = teardown, .timeout = 30);

static void
post(const char *body)
{
    exchange_reset(&t.x);
    route_fixture_set_body(&t, "%s", body);
    route_handoff_on_request(&t.x);
}

Test(route_handoff, the_reference_gives_the_object_back)
{
    static const char object[] = "{\"url\":\"http://a.test/\"}";
    char name[HANDOFF_STORE_NAME_SIZE], *stored;
    uint64_t token;
    const char *text;

    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    post(object);
    text = strstr(route_fixture_response(&t), "\"reference\":\"@");
    cr_assert_not_null(text, "%s", t.response.data);
    cr_assert_eq(sscanf(text, "\"reference\":\"@%32[0-9a-f]\",\"expires_in\":60}", name), 1);
    stored = handoff_store_take(t.routes.handoff_store, name, &token);
    cr_assert_str_eq(stored, object);
    free(stored);
}

Test(route_handoff, mistakes_are_reported_now_and_nothing_is_kept)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    post("");
    route_fixture_expect(&t, "the body is empty");
    post("{\"url\":\"http://a.test/\",\"sesion\":\"x\"}");
    route_fixture_expect(&t, "unknown key");
    post("{\"url\":\"ftp://a.test/\"}");
    route_fixture_expect(&t, "\"code\":\"bad_url\"");
    post("{\"url\":\"http://a.test/\",\"session\":\"nobody\"}");
    route_fixture_expect(&t, "\"code\":\"unknown_session\"");
}

Test(route_handoff, a_token_is_needed_where_one_is_configured)
{
    route_fixture_ask_for_token(&t);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    post("{\"url\":\"http://a.test/\"}");
    route_fixture_expect(&t, "Status: 401");
}

Test(route_handoff, the_reference_remembers_the_token)
{
    char name[HANDOFF_STORE_NAME_SIZE];
    struct failure err = { 0 };
    uint64_t token, own;

    route_fixture_set_tokens(&t, "0123456789abcdef\nfedcba9876543210 default\n");
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_AUTHORIZATION", "Bearer fedcba9876543210");
    post("{\"url\":\"http://a.test/\"}");
    cr_assert_eq(sscanf(strstr(route_fixture_response(&t), "\"@"), "\"@%32[0-9a-f]", name), 1);
    free(handoff_store_take(t.routes.handoff_store, name, &token));
    cr_assert_eq(auth_identify(&t.auth, "Bearer fedcba9876543210", &own, &err), 0);
    cr_assert_eq(token, own);
}

Test(route_handoff, a_session_of_others_is_unknown)
{
    route_fixture_set_tokens(&t, "fedcba9876543210 shop\n");
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST", "HTTP_AUTHORIZATION", "Bearer fedcba9876543210");
    post("{\"url\":\"http://a.test/\"}");
    route_fixture_expect(&t, "\"code\":\"unknown_session\"");
}
